"""What a log line carries, and what it never does."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

import logs

CUSTOMER = "hanako@example.jp"


@pytest.fixture(autouse=True)
def configured_only_here() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_names_contract_procedure_and_process(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", part="api")
    structlog.contextvars.bind_contextvars(contract_id="c1", procedure_id="p1")
    structlog.get_logger("here").info("recorded", transition=3)
    logging.getLogger("elsewhere").warning("late by %s s", 5)
    ours, theirs = lines(capsys)
    for line in (ours, theirs):
        assert (line["contract_id"], line["procedure_id"], line["part"]) == ("c1", "p1", "api")
    assert (ours["event"], ours["transition"], ours["level"]) == ("recorded", 3, "info")
    assert (theirs["event"], theirs["level"]) == ("late by 5 s", "warning")


@pytest.mark.parametrize("ours", [True, False])
def test_what_an_exception_says_is_not_logged_but_where_it_was_is(
    capsys: pytest.CaptureFixture[str], ours: bool
) -> None:
    logs.configure("json", part="api")
    logger = structlog.get_logger("here") if ours else logging.getLogger("elsewhere")
    try:
        try:
            raise KeyError(CUSTOMER)
        except KeyError as error:
            raise ValueError(f"no mail to {CUSTOMER}") from error
    except ValueError:
        logger.exception("not sent")
    (line,) = lines(capsys)
    assert CUSTOMER not in json.dumps(line)
    assert [each["type"] for each in line["exception"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert "test_logs.py" in line["exception"][0]["at"][0]


def test_an_exception_that_a_library_writes_as_text_says_nothing_either(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("json", part="api")
    try:
        raise ValueError(f"no mail to {CUSTOMER}")
    except ValueError:
        logging.getLogger("uvicorn.error").error(traceback.format_exc())
    (line,) = lines(capsys)
    assert line["event"] == "cannot go on: ValueError"
    assert "test_logs.py" in line["at"][0][0]
    assert CUSTOMER not in json.dumps(line)


def test_every_exception_of_a_group_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", part="api")
    structlog.get_logger("here").error(
        "failed", exc_info=ExceptionGroup("all", [KeyError(1), OSError(2, "no")])
    )
    (line,) = lines(capsys)
    assert [each["type"].rpartition(".")[2] for each in line["exception"]] == [
        "ExceptionGroup",
        "KeyError",
        "FileNotFoundError",
    ]


def test_requests_are_not_logged_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", part="api")
    logging.getLogger("uvicorn.access").info("GET /v1/billing/1234567890")
    logging.getLogger("httpx").info("POST /v1/memberships/secret")
    assert lines(capsys) == []


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", part="worker")
    structlog.get_logger("here").info("recorded", transition=3)
    said = capsys.readouterr().err
    assert "recorded" in said
    assert "transition=3" in said

"""Problem documents: what they say, in which language, and which comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request
from prometheus_client import REGISTRY

from api.app import make_app
from api.language import language
from settings import Settings
from tests.stack import Stack, application

OTHER = {"plan": "wifi-50", "course": "standard"}


# The lines of Accept-Language, and what its caller reads.
LANGUAGES: list[tuple[list[str], str]] = [
    ([], "ja"),
    ([""], "ja"),
    (["ja"], "ja"),
    (["en"], "en"),
    (["EN-us"], "en"),
    (["en-GB,en;q=0.8"], "en"),
    (["ja;q=0.5, en;q=0.9"], "en"),
    (["ja;Q=0.5, en;Q=0.9"], "en"),
    (["ja ; q=0.5 , en ; q=0.9"], "en"),
    (["ja, en;q=0.9"], "ja"),
    (["ja, en;Q=0.9"], "ja"),
    (["en, ja"], "ja"),
    (["en;q=0.7, ja;q=0.7"], "ja"),
    (["fr"], "ja"),
    (["eng"], "ja"),
    (["enm, ja;q=0.1"], "ja"),
    (["jam, en;q=0.1"], "en"),
    (["*"], "ja"),
    (["*, en;q=0.5"], "ja"),
    (["*, ja;q=0.5"], "en"),
    (["*;q=0.5, en"], "en"),
    (["*;q=0.1, en;q=0.5"], "en"),
    (["fr, *;q=0.5, ja;q=0.2"], "en"),
    (["ja;q=0.2", "en;q=0.8"], "en"),
    (["en;q=0.2", "fr", "ja;q=0.8"], "ja"),
    (["en;q=0"], "ja"),
    (["en;q=0, *"], "ja"),
    (["ja;q=0, *"], "en"),
    (["ja;q=0.000, fr"], "en"),
    (["ja;q=0, *;q=0"], "ja"),
    (["*;q=0"], "ja"),
    (["*;q=0, en;q=0.1"], "en"),
    (["en;level=1;q=0.2, ja;q=0.1"], "en"),
    (["en;q=nonsense"], "ja"),
    (["ja;q=nonsense, en;q=0.1"], "en"),
    (["en;q=nan"], "ja"),
    (["ja, en;q=7"], "ja"),
    ([";;;q==,"], "ja"),
]


@pytest.mark.parametrize(("lines", "read"), LANGUAGES, ids=[" & ".join(lines) for lines, _ in LANGUAGES])
def test_who_accepts_reads(lines: list[str], read: str) -> None:
    headers = [(b"accept-language", line.encode()) for line in lines]
    assert language(Request({"type": "http", "headers": headers})) == read


@pytest.mark.parametrize(("wanted", "english"), [(None, False), ("ja", False), ("en-GB,en;q=0.8", True)])
def test_they_speak_the_callers_language(stack: Stack, wanted: str | None, english: bool) -> None:
    answer = stack.call("GET", "/v1/contracts", headers={"Accept-Language": wanted} if wanted else {})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    problem = answer.json()
    assert problem.keys() == {"type", "status", "title", "detail"}
    assert problem["title"].isascii() == english
    assert problem["detail"].isascii() == english


def test_a_refusal_by_a_rule_names_the_rule_in_both_languages(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=20)
    answers = {
        words: rental.customer.post(
            f"{rental.path}/procedures/plan_change", OTHER, headers={"Accept-Language": words}
        ).json()
        for words in ("ja", "en")
    }
    assert {answer["rule"] for answer in answers.values()} == {"RNT-3"}
    assert answers["ja"]["opens_at"] == answers["en"]["opens_at"]
    assert answers["en"]["detail"].isascii()
    assert not answers["ja"]["detail"].isascii()


def test_what_is_wrong_with_a_field_is_told_in_both_languages(stack: Stack) -> None:
    body = application(plan="none", applicant={"phone": "03-1234-5678"})
    told = {
        words: {
            fault["field"]: fault["detail"]
            for fault in stack.call(
                "POST", "/v1/applications", json=body, headers={"Accept-Language": words}
            ).json()["errors"]
        }
        for words in ("ja", "en")
    }
    assert told["en"]["applicant.phone"] == "10 or 11 digits that begin with 0, no hyphens."
    assert told["en"]["plan"].startswith("One of wifi-")
    assert "ハイフンなし" in told["ja"]["applicant.phone"]
    assert told["ja"]["plan"].startswith("次のいずれか")


def test_the_order_of_answers_is_401_404_422_409_428_412(stack: Stack) -> None:
    """Each request is wrong in every way that is left; mending the first fault leads to the next answer."""
    rental = stack.active_contract()
    stack.at(day=20)
    token, path = rental.customer.token, f"{rental.path}/procedures/plan_change"
    steps: list[tuple[str | None, str, dict[str, Any], int]] = [
        (None, "/v1/contracts/k-0/procedures/plan_change", {"plan": 1}, 401),
        (token, "/v1/contracts/k-0/procedures/plan_change", {"plan": 1}, 404),
        (token, f"{rental.path}/procedures/nothing", {"plan": 1}, 404),
        (token, path, {"plan": 1}, 422),
        (token, path, OTHER, 409),
    ]
    for caller, to, body, status in steps:
        assert stack.call("POST", to, caller, json=body).status_code == status
    stack.at(day=1)
    assert rental.ask("plan_change", **OTHER).status_code == 428
    assert rental.ask("plan_change", **OTHER, consent="yes").status_code == 412


def test_who_may_not_call_is_told_before_anything_is_read(stack: Stack) -> None:
    answer = stack.call(
        "POST", "/v1/contracts/k-0/procedures/plan_change", stack.operator_token, content=b"{"
    )
    assert answer.status_code == 403
    forged = stack.call("POST", "/v1/applications", "forged", content=b"{")
    assert forged.status_code == 401


async def test_a_fault_of_ours_is_counted_among_the_answers_and_invented_methods_as_one(
    tmp_path: Path,
) -> None:
    """By an API that was never started: it looks for what is not there."""
    app = make_app(Settings(data_dir=tmp_path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    labels = {"method": "GET", "route": "/v1/contracts", "status": "500"}
    async with httpx.AsyncClient(base_url="http://here", transport=transport) as http:
        answer = await http.get("/v1/contracts", headers={"Authorization": "Bearer x"})
        invented = [(await http.request(method, "/v1/contracts")).status_code for method in ("BREW", "WHEN")]
    assert (answer.json()["status"], invented) == (500, [405, 405])
    assert REGISTRY.get_sample_value("keiyaku_request_seconds_count", labels) == 1
    labels |= {"method": "other", "status": "405"}
    assert REGISTRY.get_sample_value("keiyaku_request_seconds_count", labels) == 2


def test_malformed_input_is_told_before_a_rule_is_asked(stack: Stack) -> None:
    body = application(plan="none", payment={"method": "invoice"})
    assert stack.call("POST", "/v1/applications", json=body).status_code == 422

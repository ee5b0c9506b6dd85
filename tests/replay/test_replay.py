"""What contracts and runs have lived through so far is understood by the workflows as they are now."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import worker
from rules import policy
from rules.clock import Clock
from settings import Settings
from tests.club import PASSWORD
from tests.replay.lives import LIVES, LONG_LIVES, PHONE
from tests.replay.record import HISTORIES
from tests.stack import APPLICANT
from workflows import clock

FILES = sorted(HISTORIES.glob("*.json"))


@pytest.fixture(autouse=True)
def by_the_real_clock_again() -> Iterator[None]:
    yield
    clock.use(Clock())


@pytest.fixture(autouse=True)
def policies() -> Iterator[None]:
    """Those that the recorded contracts were decided by are known, as the store makes them known to a worker."""
    policy.current()
    before = dict(policy._known)
    for file in (HISTORIES / "policies").glob("*.json"):
        policy.know(policy.remembered(json.loads(file.read_text())), file.stem)
    yield
    policy._known.clear()
    policy._known.update(before)


def history(file: Path) -> WorkflowHistory:
    told: dict[str, Any] = json.loads(file.read_text())
    clock.use(Clock(), skips_time=told.pop("skips_time", False))
    return WorkflowHistory.from_json(told.pop("workflow"), told)


def replayer(sandboxed: bool) -> Replayer:
    return Replayer(
        workflows=worker.WORKFLOWS,
        workflow_runner=worker.runner(Settings(sandboxed_workflows=sandboxed)),
        data_converter=pydantic_data_converter,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("sandboxed", [True, False], ids=["sandboxed", "plain"])
async def test_a_history_replays(file: Path, sandboxed: bool) -> None:
    await replayer(sandboxed).replay_workflow(history(file))


async def test_a_history_that_leads_elsewhere_does_not_replay(tmp_path: Path) -> None:
    """It has another activity done than the workflow asks for."""
    elsewhere, scheduled = tmp_path / "elsewhere.json", '"activityType":{"name":"'
    told = (HISTORIES / "returned-1.json").read_text()
    assert scheduled in told
    elsewhere.write_text(told.replace(scheduled, f"{scheduled}another_"))
    with pytest.raises(NondeterminismError):
        await replayer(sandboxed=True).replay_workflow(history(elsewhere))


def test_every_life_is_recorded() -> None:
    recorded = {file.stem.rpartition("-")[0].removesuffix("-successor") for file in FILES}
    assert recorded == {*LIVES, *LONG_LIVES}
    assert len([file for file in FILES if file.stem.startswith("begun-anew")]) > 1


def test_the_recorded_run_has_waited_for_an_operator() -> None:
    told = (HISTORIES / "settled-1.json").read_text()
    assert '"signalName":"again"' in told
    assert "EVENT_TYPE_TIMER_FIRED" in told, "and an hour was over"
    assert '"run_settle"' in told


def test_what_mailboxes_put_off_has_been_slept_over_and_has_come_to_its_end() -> None:
    told = (HISTORIES / "put-off-1.json").read_text()
    assert told.count('"eventType":"EVENT_TYPE_TIMER_FIRED"') > 1
    assert '"eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"' in told


def test_who_rests_has_slept_once_and_ended() -> None:
    for name in ("rested-1", "woken-1"):
        told = [
            event["eventType"] for event in json.loads((HISTORIES / f"{name}.json").read_text())["events"]
        ]
        assert told[-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED", name
        assert "EVENT_TYPE_TIMER_FIRED" in told, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_history_says_who_the_customer_is(file: Path) -> None:
    said = "\n".join(texts(json.loads(file.read_text())))
    for name, value in APPLICANT.items():
        if name != "kind":
            assert value not in said, name
    for secret in ("tok_", PASSWORD, PHONE, "easy@", "club@"):
        assert secret not in said, secret


def texts(told: Any) -> Iterator[str]:
    """Every text in it, payloads in clear."""
    if isinstance(told, dict):
        for key, value in told.items():
            if key == "data" and isinstance(value, str):
                yield base64.b64decode(value).decode()
            yield from texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from texts(value)
    else:
        yield str(told)

"""The measuring itself, with numbers too small to mean anything."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bench import load
from bench.counts import billable
from tests.running import KEIYAKU


def event(kind: str) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"))


def test_local_activities_of_one_workflow_task_are_one_action() -> None:
    events = [event("WORKFLOW_EXECUTION_STARTED")]
    for task in (4, 4, 9):
        marker = event("MARKER_RECORDED")
        marker.marker_recorded_event_attributes.workflow_task_completed_event_id = task
        events.append(marker)
    assert billable(events) == 3


def test_each_try_of_an_activity_is_an_action() -> None:
    started = event("ACTIVITY_TASK_STARTED")
    started.activity_task_started_event_attributes.attempt = 3
    assert billable([event("ACTIVITY_TASK_SCHEDULED"), started, event("ACTIVITY_TASK_COMPLETED")]) == 3


def test_a_workflow_task_is_no_action() -> None:
    tasks = ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED"]
    assert billable([event(kind) for kind in tasks]) == 0


async def test_a_slow_server_does_not_slow_the_load_down() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.2)

    began = time.perf_counter()
    took = await load.at_rate([slow] * 40, rate=400, seed=1)
    assert time.perf_counter() - began < 4, "one after the other they take eight"
    assert all(seconds >= 0.2 for seconds in took)


@pytest.mark.timeout(420)
def test_a_run_prints_ratios_and_counts(tmp_path: Path) -> None:
    env = os.environ | {"COLUMNS": "120", "TMPDIR": str(tmp_path)}
    run: list[str | Path] = [
        KEIYAKU,
        "bench",
        "--rounds",
        "1",
        "--calls",
        "8",
        "--results",
        tmp_path / "results",
    ]
    done = subprocess.run(run, capture_output=True, text=True, timeout=390, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("plan changes a second", "signups a second", "p99", "an idle contract-month"):
        assert words in done.stdout
    idle = next(line for line in done.stdout.splitlines() if "idle contract-month" in line)
    assert idle.replace("│", " ").split()[-2:] == ["0", "0"]
    assert [path.suffix for path in (tmp_path / "results").iterdir()] == [".json"]
    assert [path.name for path in tmp_path.iterdir()] == ["results"]

"""A run over all contracts that cannot begin yet, and what is told of one that goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow

from rules.runs import Plan, Proof, Range, Reached, Run, Waiting
from tests.rules.cases import at
from workflows.run import RunWorkflow, is_patient_no_more, look_again

LONGEST_HISTORY, A_LOOK = 51_200, 6
"""Events: after the first the server ends a workflow; the second is a look with its timer."""

BEGAN = datetime(2026, 7, 1, tzinfo=UTC)
STRETCHES = (Reached(last="a", done=20), Reached(last="b", done=40), Reached(last=None, done=70))
"""As the store counts them: what a worker that died had begun is counted twice."""


class Engine:
    """In the place of the workflow engine: a clock that is moved by whoever waits, and what is shown in the UI."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.shown = BEGAN, list[str]()
        patch.setattr(workflow, "now", lambda: self.now)
        patch.setattr(workflow, "sleep", self.sleep)
        patch.setattr(workflow, "set_current_details", self.shown.append)

    async def sleep(self, wait: timedelta, summary: str) -> None:
        self.now += wait


class TenSecondsEach(RunWorkflow):
    """It waits for two hours for another, then each of its stretches takes ten seconds."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(Run(job="month-end", period="2026-06"))
        self.engine, self.stretches = engine, iter(STRETCHES)

    async def quickly(self, activity: str, answer: type[Any], *more: Any) -> Any:
        until = BEGAN + timedelta(hours=2)
        waits = Waiting(why="another is not done", until=until) if self.engine.now < until else Waiting()
        plan = Plan(expected=60, ranges=[Range()])
        proof = Proof(result={"expected": 60}, done=60)
        return {"run_ready": waits, "run_begin": plan, "run_prove": proof}[activity]

    async def at_length(self, activity: str, *more: Any) -> Reached:
        if activity == "run_notices":
            return Reached(done=5)
        self.engine.now += timedelta(seconds=10)
        return next(self.stretches)


async def test_what_is_told_is_what_the_run_did_since_it_began_to_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch)
    run = TenSecondsEach(engine)
    await run.run(run.asked)
    assert engine.shown[0] == "**month-end 2026-06** waits: another is not done"
    assert [shown.splitlines()[-1] for shown in engine.shown[1:]] == [
        "| 0 | 60 | – | – | 0 |",
        "| 20 | 40 | 2 | 20 s | 0 |",
        "| 40 | 20 | 2 | 10 s | 0 |",
        "| 60 | 0 | 2 | – | 0 |",
        "| 60 | 0 | 2 | – | 5 |",
        "| 60 | 0 | 2 | – | 5 |",
    ]


def test_a_month_of_waiting_fits_into_its_history() -> None:
    waited, looks = timedelta(0), 0
    while waited < timedelta(days=31):
        waited, looks = waited + look_again(waited), looks + 1
    assert looks * A_LOOK < LONGEST_HISTORY


def test_what_comes_soon_is_seen_within_a_second_and_what_comes_late_within_ten_minutes() -> None:
    assert look_again(timedelta(seconds=9)) == timedelta(seconds=1)
    assert look_again(timedelta(minutes=5)) == timedelta(seconds=30)
    assert look_again(timedelta(days=20)) == timedelta(minutes=10)


def test_deadlines_have_their_ten_minutes_however_long_it_waited_for_another_run() -> None:
    began, since = at("2026-07-25 06:00:00"), at("2026-08-20 12:00:00")
    assert not is_patient_no_more(began, since, since + timedelta(minutes=10))
    assert is_patient_no_more(began, since, since + timedelta(minutes=10, seconds=1))
    assert is_patient_no_more(began, began, began + timedelta(minutes=11))

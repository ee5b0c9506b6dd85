"""The runs over all contracts, as an operator sees them and has them done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api import jobs as api
from api.clock import EngineClock
from rules import jobs, policy
from rules.calendar import day_of, first_of_month
from rules.clock import Clock
from rules.runs import Held, Progress
from store.ledger import CreditRow, ExchangeRow, PointRow, StatementLineRow, StatementRow
from store.tables import DeliveryRow
from store.write import table
from tests.club import for_bill, member, points
from tests.line import Line
from tests.rules.cases import at
from tests.stack import Stack

NAMES = {"month-end", "settlement", "points-grant", "points-mail", "points-warning", "fiscal-year"}


def listed(stack: Stack) -> dict[str, dict[str, Any]]:
    answer = stack.operate("GET", "/jobs")
    assert answer.status_code == 200, answer.text
    return {job["name"]: job for job in answer.json()["items"]}


def run(stack: Stack, name: str, body: Any) -> Any:
    return stack.operate("POST", f"/jobs/{name}/run", json=body)


def test_moving_the_clock_over_a_month_does_what_falls_due_in_it(stack: Stack) -> None:
    stack.apply()
    first = first_of_month(day_of(stack.now()), 1)
    stack.move(datetime.fromisoformat(f"{first.replace(day=26)}T00:00:00+09:00"))
    period = jobs.month(first_of_month(first, -1))
    found = listed(stack)
    assert set(found) == NAMES
    for name in ("month-end", "points-grant", "points-mail", "settlement"):
        due = jobs.due_at(policy.load().job(name), period)
        assert (found[name]["progress"]["period"], found[name]["progress"]["state"]) == (period, "done")
        assert abs((datetime.fromisoformat(found[name]["last_run"]) - due).total_seconds()) < 60
        assert datetime.fromisoformat(found[name]["next_run"]) > stack.now()
        told = found[name]["progress"]
        assert (told["done"], told["left"], told["reason"]) == (told["expected"], 0, None)
        assert (told["rate"] or 0) > 0 or told["expected"] == 0
        assert found[name]["result"]["left"] == []


class AtNoon:
    """In the place of the service: its clock stands still, and runs sixty times as fast as the engine's."""

    def __init__(self) -> None:
        nothing: Any = None
        self.clock, self.now = EngineClock(nothing, Clock(60, at("2026-07-01 00:00:00")), False), lambda: NOON


NOON, MONTH_END = at("2026-07-01 12:00:00"), policy.load().job("month-end")
RUNNING = Progress(
    state="running",
    period="2026-06",
    due_at=NOON,
    started_at=at("2026-07-01 11:50:00"),
    finished_at=None,
    expected=6000,
    done=2000,
    result=None,
)


def told(monkeypatch: pytest.MonkeyPatch, last: Progress | None, waits: Held | None = None) -> Any:
    service: Any = AtNoon()
    monkeypatch.setattr(service.clock, "now", service.now)
    return api._shown(service, MONTH_END, last, waits)["progress"]


def test_a_run_tells_contracts_a_second_and_the_seconds_that_are_left_by_the_engines_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = told(monkeypatch, RUNNING)
    names = ("state", "expected", "done", "left", "rate", "estimate")
    assert [found[name] for name in names] == ["running", 6000, 2000, 4000, 200.0, 20]
    waiting = told(monkeypatch, RUNNING.model_copy(update={"state": "waiting"}))
    assert (waiting["left"], waiting["rate"], waiting["estimate"]) == (4000, None, None)
    done = {"state": "done", "done": 6000, "finished_at": at("2026-07-01 11:55:00")}
    ended = told(monkeypatch, RUNNING.model_copy(update=done))
    assert (ended["left"], ended["rate"], ended["estimate"]) == (0, 1200.0, 0)


def test_a_run_that_waits_to_begin_is_told_with_its_reason_unless_another_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits = Held(period="2026-07", reason="month-end of 2026-06 is not done")
    ended = RUNNING.model_copy(update={"state": "done"})
    for last in (None, ended):
        found = told(monkeypatch, last, waits)
        assert (found["period"], found["state"], found["reason"]) == ("2026-07", "waits", waits.reason)
    assert told(monkeypatch, RUNNING, waits)["period"] == "2026-06"


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("PNT-10")
def test_a_run_done_again_changes_nothing(stack: Stack) -> None:
    line = member(stack)
    assert for_bill_once_granted(stack, line).status_code == 201
    stack.at(day=26)
    period = jobs.period_at("month-end", stack.now())
    (statement,) = [one for one in line.items("/statements") if one["period"] == period]
    assert statement["total_with_tax"] > 0 and statement["paid_on"]
    before = written(stack)
    for name in ("month-end", "points-grant", "points-mail", "settlement"):
        answer = run(stack, name, {"period": period})
        assert (answer.status_code, answer.json()["result"]["left"]) == (200, []), name
        assert written(stack) == before, name


def for_bill_once_granted(stack: Stack, line: Line) -> httpx.Response:
    while not points(line)["lots"]:
        stack.at(day=1, time="03:00:30")
    return for_bill(line, 60)


def written(stack: Stack) -> dict[str, set[tuple[Any, ...]]]:
    """All that runs write, of everybody; of what leaves by mail only that it does, as some of it may be on its way."""
    whole = (StatementRow, StatementLineRow, CreditRow, ExchangeRow, PointRow)
    with stack.engine.begin() as connection:
        rows = {row.__name__: {tuple(one) for one in connection.execute(select(table(row)))} for row in whole}
        mails = connection.execute(select(table(DeliveryRow).c.delivery_id))
        return rows | {"mails": {tuple(one) for one in mails}}


def test_a_period_that_is_not_over_is_409_and_says_when_it_can_be_run(stack: Stack) -> None:
    period = jobs.month(day_of(stack.now()))
    answer = run(stack, "month-end", {"period": period})
    assert answer.status_code == 409
    opens_at = datetime.fromisoformat(answer.json()["opens_at"])
    assert opens_at == jobs.due_at(policy.load().job("month-end"), period)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("month-end", {"period": "FY2026"}, 422),
        ("month-end", {"period": "2026-13"}, 422),
        ("month-end", {"period": "0001-01"}, 422),
        ("month-end", {"period": 202601}, 422),
        ("month-end", {}, 422),
        ("fiscal-year", {"period": "2026-03"}, 422),
        ("points-warning", {"period": "2026-06"}, 422),
        ("no-such-job", {"period": "2026-06"}, 404),
    ],
)
def test_what_cannot_be_run(stack: Stack, name: str, body: Any, status: int) -> None:
    assert run(stack, name, body).status_code == status


def test_runs_are_for_operators(stack: Stack) -> None:
    customer = stack.preparing_contract().customer
    assert stack.call("GET", "/operator/v1/jobs").status_code == 401
    assert customer.get("/operator/v1/jobs").status_code == 403
    assert customer.call("POST", "/operator/v1/jobs/month-end/run", json={}).status_code == 403

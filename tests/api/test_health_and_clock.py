"""Health, readiness, the catalogue, and the clock that can be moved."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.service import RPCError

from api import dev, running
from api.calendar import Calendar
from api.clock import EngineClock
from api.service import Service
from embedded import temporal
from rules import jobs, policy
from rules.clock import Clock
from rules.runs import Run
from tests.activities.faults import Faults
from tests.activities.world import connected
from tests.stack import Stack, eventually, last_day
from tests.test_catch_up import loses


def test_the_process_answers_and_all_its_parts_do(stack: Stack) -> None:
    assert stack.call("GET", "/healthz").json() == {"status": "ok"}
    ready = stack.call("GET", "/readyz").json()
    assert ready["parts"] == {"temporal": True, "worker": True, "database": True}


def lacking(stack: Stack, parts: list[str]) -> Any:
    """What it says once it lacks these."""
    answer = stack.once("GET", "/readyz")
    return answer if answer.json().get("missing") == parts else None


def test_a_worker_that_is_gone_is_named(stack: Stack) -> None:
    worker = stack.note["parts"]["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        answer = eventually(lambda: lacking(stack, ["worker"]))
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
        assert stack.call("GET", "/healthz").status_code == 200
    finally:
        os.kill(worker, signal.SIGCONT)
    assert stack.call("GET", "/readyz").status_code == 200


def test_the_catalogue_says_what_is_sold_in_both_languages(stack: Stack) -> None:
    shown = {
        words: stack.call("GET", "/v1/catalogue", headers={"Accept-Language": words}).json()
        for words in ("ja", "en")
    }
    english = shown["en"]
    assert "wifi-100" in {plan["plan"] for plan in english["plans"]}
    assert {course["course"] for course in english["courses"]} == {"standard", "omatome", "depocomi"}
    assert {option["option"] for option in english["support_options"]} == {
        "support",
        "support_premium",
        "support_sim",
        "support_premium_sim",
    }
    assert {"item": "plan_change", "amount": 1500} in english["fees"]
    for name in ("plans", "courses", "support_options"):
        assert all(item["name"].isascii() for item in english[name])
        assert not any(item["name"].isascii() for item in shown["ja"][name])


def test_the_clock_runs_on_at_real_pace_between_moves(stack: Stack) -> None:
    clock = stack.call("GET", "/dev/v1/clock").json()
    assert (clock["mode"], clock["now"][-6:]) == ("test", "+09:00")
    began, before = time.monotonic(), stack.now()
    passed = stack.now() - before
    assert timedelta(0) < passed < timedelta(seconds=time.monotonic() - began + 1)


def test_it_moves_forward_only(stack: Stack) -> None:
    to = stack.now() + timedelta(hours=1)
    stack.move(to)
    assert stack.now() >= to
    back = stack.call("POST", "/dev/v1/clock", json={"to": (to - timedelta(minutes=1)).isoformat()})
    assert back.status_code == 409
    assert stack.now() >= to


@pytest.mark.parametrize(
    "to",
    [
        "tomorrow",
        "2040-01-01",
        "2040-01-01T00:00:00",
        "2040-13-01T00:00:00+09:00",
        2208988800,
        "2208988800",
        None,
        True,
        ["2040-01-01T00:00:00+09:00"],
        "9999-12-31T23:59:59-12:00",
        "2200-01-01T00:00:00+09:00",
        "0001-01-01T00:00:00+09:00",
    ],
)
def test_it_moves_to_an_instant_with_its_offset_only(stack: Stack, to: Any) -> None:
    answer = stack.call("POST", "/dev/v1/clock", json={"to": to})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "to")


def test_an_instant_of_another_offset_is_the_same_instant(stack: Stack) -> None:
    to = stack.now().replace(microsecond=0) + timedelta(minutes=5)
    utc = to.astimezone(tz=None).isoformat() if to.tzinfo is None else f"{to - timedelta(hours=9):%FT%T}Z"
    assert stack.call("POST", "/dev/v1/clock", json={"to": utc}).status_code == 200
    assert to <= stack.now() < to + timedelta(minutes=4)


@pytest.mark.rule("CAL-3")
def test_a_long_way_at_once_fires_everything_in_the_order_of_its_dates(stack: Stack) -> None:
    """Two contracts whose deadlines interleave, moved over in one leap."""
    first, second = stack.active_contract(), stack.active_contract()
    today = stack.at(day=2).date()
    procedure = first.agree("plan_change", plan="wifi-50", course="standard")
    stack.at(day=20)
    second.agree("cancellation")
    ends = last_day(today) + timedelta(days=1)
    leap = datetime.fromisoformat(f"{ends}T00:00:00+09:00") + timedelta(days=80)
    stack.move(leap)
    expected = [
        (first, "device_charge", ends + timedelta(days=24)),
        (second, "return_reminder", last_day(ends) + timedelta(days=11)),
        (second, "device_charge", last_day(ends) + timedelta(days=25)),
    ]
    assert first.other(procedure["successor_contract_id"]).state == "active"
    for rental, kind, day in expected:
        (notice,) = stack.outbox(kind=kind, contract_id=rental.contract_id)
        assert notice["at"] == f"{day}T00:00:00+09:00"
        (entry,) = [e for e in rental.items("/timeline") if e["at"] == notice["at"] and e["by"] == "calendar"]
        assert datetime.fromisoformat(entry["recorded_at"]) < leap
    left = [notice["at"] for notice in stack.outbox()]
    assert left == sorted(left)


def test_a_move_that_comes_while_another_goes_on_waits_for_it(stack: Stack) -> None:
    now = stack.now()
    with ThreadPoolExecutor(2) as threads:
        moves = [
            threads.submit(
                stack.call, "POST", "/dev/v1/clock", json={"to": (now + timedelta(days=d)).isoformat()}
            )
            for d in (40, 30)
        ]
    assert {move.result().status_code for move in moves} <= {200, 409}
    assert stack.now() >= now + timedelta(days=40)


async def test_the_clock_goes_on_where_the_server_gave_a_workflow_up(stack: Stack) -> None:
    stack.at(range(2, 10))
    rental = stack.active_contract()
    procedure = rental.agree("cancellation")
    await loses(stack, rental.contract_id)
    stack.at(1)
    assert rental.procedure(procedure["procedure_id"])["state"] == "awaiting_device"


class Ticking:
    """A clock of which two looks are two milliseconds apart: one a moment before a run is due, the next after it."""

    test = True

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=2)
        return self.at

    async def skip_to(self, instant: datetime) -> None:
        self.at = max(self.at, instant)


async def test_a_run_that_falls_between_two_looks_at_the_clock_is_done_in_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grant = jobs.due_at(policy.load().job("points-grant"), "2027-01")
    clock, done = Ticking(grant - timedelta(milliseconds=3)), list[tuple[str, datetime]]()

    async def outcome(found: Service, run: Run) -> None:
        done.append((run.job, clock.at))

    async def nothing_due(found: Service) -> None: ...

    monkeypatch.setattr(running, "outcome", outcome)
    monkeypatch.setattr(dev, "_rest", nothing_due)
    nobody = dict.fromkeys(field.name for field in fields(Service))
    found = Service(**nobody | {"clock": clock})  # type: ignore[arg-type]
    calendar = Calendar(found)
    calendar._done_until = grant - timedelta(hours=1)
    await dev._move(found, calendar, grant + timedelta(days=12))
    jobs_done = [job for job, _ in done]
    assert jobs_done[:2] == ["points-grant", "points-warning"]
    assert done[0][1] - grant < timedelta(seconds=1)


async def test_a_server_that_does_not_answer_does_not_end_the_calendar(tmp_path: Path) -> None:
    server, address = temporal.time_skipping_server(tmp_path)
    process = await asyncio.create_subprocess_exec(*server.command, env=dict(server.env))
    client = await connected(address, Faults())
    process.kill()
    await process.wait()
    clock = EngineClock(client, Clock(), test=True)
    with pytest.raises(RPCError):
        await clock.refresh()
    nobody = dict.fromkeys(field.name for field in fields(Service))
    calendar = Calendar(Service(**nobody | {"clock": clock}))  # type: ignore[arg-type]
    keeping = asyncio.create_task(calendar.keep(asyncio.Lock()))
    await asyncio.wait([keeping], timeout=1)
    assert not keeping.done()
    keeping.cancel()

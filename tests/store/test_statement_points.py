"""Points on a statement: they come off its total, never more than it, and a statement that they pay whole is paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from rules.jobs import due_at
from rules.policy import load
from store import points
from store.ledger import RunRow
from store.write import insert
from tests.rules.cases import at
from tests.store.bills import bill, billed, close, left
from tests.store.club import Club, within


def member(engine: Engine, fee: int = 5200, *names: str) -> Club:
    """Somebody who has 400 points by August 2026, and pays so much a month."""
    made = Club(engine)
    for name in names or ("k-1",):
        made.member(name)
        made.costs(name, "next", "2026-04-01", amount=fee)
    for period in ("2026-04", "2026-05", "2026-06", "2026-07"):
        made.grant(period)
    return made


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("PNT-6")
def test_points_of_july_come_off_the_statement_of_august(engine: Engine) -> None:
    club = member(engine)
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    close(engine, "2026-07", "2026-08", "2026-09")
    paid = [
        (bill(engine, m)["points_used"], bill(engine, m)["total_with_tax"])
        for m in ("2026-07", "2026-08", "2026-09")
    ]
    assert paid == [(0, 5720), (250, 5470), (0, 5720)]
    assert left(engine, "2026-08") == []


@pytest.mark.rule("PNT-6")
@pytest.mark.parametrize(("fee", "used", "paid_on"), [(100, 110, date(2026, 9, 1)), (300, 250, None)])
def test_no_more_than_the_bill_comes_off_and_what_is_paid_whole_is_paid(
    engine: Engine, fee: int, used: int, paid_on: date | None
) -> None:
    club = member(engine, fee)
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    close(engine, "2026-08")
    found = bill(engine, "2026-08")
    assert (found["points_used"], found["total_with_tax"], found["paid_on"]) == (
        used,
        fee * 11 // 10 - used,
        paid_on,
    )
    assert club.balance("k-1", "2026-09-02 00:00:00") == 400 - used


@pytest.mark.rule("BIL-8")
def test_run_twice_no_points_come_off_twice(engine: Engine) -> None:
    club = member(engine)
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    close(engine, "2026-08")
    before = (bill(engine, "2026-08"), club.ledger())
    close(engine, "2026-08")
    assert (bill(engine, "2026-08"), club.ledger()) == before


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


# A month end that is late


def one_closed_of_two(engine: Engine) -> Club:
    """Both pay bills with points; the months of k-1 are closed in time, those of k-2 are not."""
    club = member(engine, 100, "k-1", "k-2")
    for name in ("k-1", "k-2"):
        club.exchange(name, 350, "2026-07-10 12:00:00")
    close(engine, "2026-07", "2026-08", between=("", "k-1"))
    return club


@pytest.mark.rule("PNT-5")
@pytest.mark.rule("PNT-6")
@pytest.mark.rule("PNT-10")
def test_what_a_late_month_end_would_return_can_be_spent_and_all_is_as_if_it_had_been_in_time(
    engine: Engine,
) -> None:
    club = one_closed_of_two(engine)
    for name in ("k-1", "k-2"):
        # 50 were left, 240 that the bill did not need come back, 100 are granted.
        assert club.exchange(name, 391, "2026-09-02 12:00:00") is not None
        assert club.exchange(name, 300, "2026-09-02 12:00:00") is None
        assert club.balance(name, "2026-09-02 12:00:01") == 90
    close(engine, "2026-07", "2026-08")
    assert club.ledger("k-1") == club.ledger("k-2")
    own = ("contract_id", "billing_number")
    for period in ("2026-07", "2026-08"):
        assert without(bill(engine, period, "k-1"), *own) == without(bill(engine, period, "k-2"), *own)
    assert left(engine, "2026-08") == []


@pytest.mark.rule("PNT-8")
def test_who_only_looks_sees_what_a_late_month_end_would_return(engine: Engine) -> None:
    club = member(engine, 100)
    club.exchange("k-1", 350, "2026-07-10 12:00:00")
    done(engine, "points-grant", "2026-04", "2026-05", "2026-06", "2026-07")

    def looks(now: str) -> tuple[bool, int]:
        owed = within(engine, lambda c: points.owes(c, "k-1", at(now), load()))
        within(engine, lambda c: points.catch_up(c, "k-1", at(now), load()))
        return owed, club.balance("k-1", now)

    assert (looks("2026-09-01 00:09:59"), billed(engine)) == ((False, 50), [])
    assert looks("2026-09-01 00:10:00") == (True, 290)
    assert billed(engine) == ["2026-04", "2026-05", "2026-06", "2026-07", "2026-08"]
    assert looks("2026-09-01 02:59:59") == (False, 290), "no points wait for a bill any more"
    assert looks("2026-09-01 03:00:00") == (True, 390)


def done(engine: Engine, job: str, *periods: str) -> None:
    """These runs are over."""
    for period in periods:
        due = due_at(load().job(job), period)
        row = {"job": job, "period": period, "state": "done", "due_at": due, "started_at": due}
        within(engine, lambda c, row=row: insert(c, RunRow, [row | {"expected": 1, "done": 1}]))  # type: ignore[misc]


@pytest.mark.rule("BIL-8")
def test_a_bill_that_no_points_wait_for_is_left_to_the_run(engine: Engine) -> None:
    club = member(engine)
    assert club.exchange("k-1", 100, "2026-08-10 12:00:00") is None
    assert club.exchange("k-1", 100, "2026-09-02 12:00:00") is None
    assert billed(engine) == []


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("PNT-10")
def test_while_the_run_is_under_way_points_come_off_a_bill_once(engine: Engine) -> None:
    names = [f"k-{number}" for number in range(6)]
    club = member(engine, 100, *names)
    for name in names:
        club.exchange(name, 350, "2026-07-10 12:00:00")
    with ThreadPoolExecutor(8) as threads:
        runs = [threads.submit(close, engine, "2026-08") for _ in range(2)]
        asked = [threads.submit(club.exchange, name, 200, "2026-09-01 01:00:00") for name in names]
        assert [one.result() for one in asked] == [None] * len(names)
        assert [one.result() for one in runs] == [[len(names)]] * 2
    for name in names:
        found = bill(engine, "2026-08", name)
        assert (found["points_used"], found["total_with_tax"]) == (110, 0)
        assert club.balance(name, "2026-09-01 01:00:01") == 90
    assert left(engine, "2026-08") == []


@pytest.mark.rule("COL-4")
@pytest.mark.rule("PNT-6")
@pytest.mark.rule("PNT-9")
def test_after_the_end_a_late_month_end_leaves_no_point_and_the_bill_is_as_if_it_had_been_in_time(
    engine: Engine,
) -> None:
    club = one_closed_of_two(engine)
    for name in ("k-1", "k-2"):
        club.ends(name, "2026-09-03 12:00:00")
        club.changes(name, ended_at=at("2026-09-03 12:00:00"), in_force_to=date(2026, 9, 3))
        assert club.balance(name, "2026-09-03 12:00:00") == 0
    close(engine, "2026-07", "2026-08")
    for name in ("k-1", "k-2"):
        assert club.balance(name, "2026-09-03 12:00:00") == 0
        assert (
            bill(engine, "2026-08", name)["points_used"],
            bill(engine, "2026-08", name)["total_with_tax"],
        ) == (110, 0)
    for then in ("2026-09-01 00:09", "2026-09-01 00:10", "2026-09-03 11:59", "2026-09-03 12:00"):
        assert as_of(club, "k-1", then) == as_of(club, "k-2", then)


def as_of(club: Club, name: str, then: str) -> dict[str, int]:
    """What was left of each lot at that minute."""
    left: dict[str, int] = {}
    for when, lot, _, number in club.ledger(name):
        left[lot] = left.get(lot, 0) + (number if when <= then else 0)
    return left

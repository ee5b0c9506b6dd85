"""Points on a statement: they come off its total, never more than it, and a statement that they pay whole is paid."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from tests.store.bills import bill, close, left
from tests.store.club import Club


def member(engine: Engine, fee: int = 5200) -> Club:
    """Somebody who has 400 points by August 2026, and pays so much a month."""
    made = Club(engine)
    made.member()
    made.costs("k-1", "next", "2026-04-01", amount=fee)
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

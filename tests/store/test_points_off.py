"""Bill payments come off a statement up to its sum; what is left over returns, and is not there twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from store import points_lapse, points_off, runs
from store.ledger import ExchangeRow, StatementRow
from store.sql import Whom, everybody
from store.write import insert, table
from tests.rules.cases import POLICY, at
from tests.store.club import Club, within


@pytest.fixture
def club(engine: Engine) -> Club:
    """With a member who got 100 points on the 1st of May, June and July 2026."""
    made = Club(engine)
    made.member()
    for period in ("2026-04", "2026-05", "2026-06"):
        made.grant(period)
    return made


def bill(club: Club, total: int, period: str = "2026-08", contract_id: str = "k-1") -> None:
    """A statement as it stands before any points come off."""
    row: dict[str, Any] = {
        "contract_id": contract_id,
        "period": period,
        "billing_number": f"1-{period}",
        "invoice": "line",
    }
    row |= {"payment_method": "invoice", "payment_id": "pay-1", "due_on": date(2026, 9, 30)}
    sums = {"standard": total, "included": 0, "untaxed": 0, "tax": 0, "points_used": 0}
    row |= {**sums, "total_with_tax": total, "policy": "", "paid_on": None, "collected_at": None}
    within(club.engine, lambda c: insert(c, StatementRow, [row]))


def off(club: Club, period: str = "2026-08") -> dict[str, int]:
    return within(club.engine, lambda c: points_off.take_off(c, period, Whom(everybody, {}), POLICY))


def billed(club: Club, period: str = "2026-08") -> tuple[int, int]:
    """Points used and what is left to pay."""
    rows = table(StatementRow)
    found = select(rows.c.points_used, rows.c.total_with_tax).where(rows.c.period == period)
    return tuple(within(club.engine, lambda c: c.execute(found).one()))


def used(club: Club) -> list[int | None]:
    rows = table(ExchangeRow)
    return list(
        within(
            club.engine, lambda c: c.execute(select(rows.c.used).order_by(rows.c.exchange_id)).scalars().all()
        )
    )


@pytest.mark.rule("PNT-6")
def test_points_exchanged_in_july_come_off_the_statement_of_august_and_of_no_other(club: Club) -> None:
    club.exchange("k-1", 250, "2026-07-31 23:59:59")
    bill(club, 5720, "2026-07")
    assert (off(club, "2026-07"), billed(club, "2026-07")) == ({}, (0, 5720))
    bill(club, 5720)
    assert off(club) == {"k-1": 250}
    assert (billed(club), used(club)) == ((250, 5470), [250])
    assert club.balance("k-1", "2026-09-02 00:00:00") == 50


@pytest.mark.rule("PNT-10")
def test_taken_off_again_nothing_changes(club: Club) -> None:
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    bill(club, 100)
    off(club)
    once = (billed(club), club.ledger(), used(club))
    assert off(club) == {}
    assert (billed(club), club.ledger(), used(club)) == once


@pytest.mark.rule("PNT-6")
def test_what_is_left_over_returns_to_its_lots_spent_last_back_first(club: Club) -> None:
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    bill(club, 100)
    assert off(club) == {"k-1": 100}
    assert billed(club) == (100, 0)
    assert club.lots("k-1", "2026-09-01 00:10:00") == [("2026-06-01", 100), ("2026-07-01", 100)]
    assert club.ledger()[-2:] == [
        ("2026-09-01 00:10", "2026-06-01", "return", 100),
        ("2026-09-01 00:10", "2026-07-01", "return", 50),
    ]


@pytest.mark.rule("PNT-6")
def test_of_several_exchanges_the_first_is_used_first(club: Club) -> None:
    club.exchange("k-1", 100, "2026-07-10 12:00:00")
    club.exchange("k-1", 150, "2026-07-11 12:00:00")
    bill(club, 120)
    assert off(club) == {"k-1": 120}
    assert used(club) == [100, 20]
    assert club.balance("k-1", "2026-09-02 00:00:00") == 180


@pytest.mark.rule("PNT-6")
def test_off_a_bill_with_nothing_to_pay_come_none(club: Club) -> None:
    club.exchange("k-1", 100, "2026-07-10 12:00:00")
    bill(club, -500)
    assert (off(club), billed(club), used(club)) == ({"k-1": 0}, (0, -500), [0])
    assert club.balance("k-1", "2026-09-02 00:00:00") == 300


@pytest.mark.rule("PNT-4")
@pytest.mark.rule("PNT-6")
@pytest.mark.parametrize("first", ["the lapse", "the bill"])
def test_what_returns_to_a_lot_that_lapsed_meanwhile_lapses_again_at_once(club: Club, first: str) -> None:
    club.exchange("k-1", 250, "2029-02-10 12:00:00")
    before = club.balance("k-1", "2029-04-01 02:00:00")
    bill(club, 100, "2029-03")
    if first == "the lapse":
        club.lapse("FY2028")
    off(club, "2029-03")
    club.lapse("FY2028")
    back = [row for row in club.ledger() if row[0] == "2029-04-01 00:10"]
    assert back == [
        ("2029-04-01 00:10", "2026-06-01", "return", 100),
        ("2029-04-01 00:10", "2026-06-01", "lapse", -100),
        ("2029-04-01 00:10", "2026-07-01", "return", 50),
        ("2029-04-01 00:10", "2026-07-01", "lapse", -50),
    ]
    assert club.balance("k-1", "2029-04-01 02:00:00") == before


@pytest.mark.rule("PNT-4")
@pytest.mark.rule("PNT-10")
def test_what_a_late_month_end_gives_back_to_a_lot_whose_year_is_over_lapsed_with_the_year(
    club: Club,
) -> None:
    club.exchange("k-1", 300, "2029-01-10 12:00:00")
    club.lapse("FY2028")
    due = at("2029-04-01 00:20:00")
    within(club.engine, lambda c: runs.begin(c, "fiscal-year", "FY2028", due, due, 0))
    bill(club, 240, "2029-02")
    assert off(club, "2029-02") == {"k-1": 240}
    assert [row for row in club.ledger() if row[1] == "2026-07-01"][-2:] == [
        ("2029-03-01 00:10", "2026-07-01", "return", 60),
        ("2029-04-01 00:00", "2026-07-01", "lapse", -60),
    ]
    assert within(club.engine, lambda c: points_lapse.left(c, "FY2028", POLICY, 9)) == []


@pytest.mark.rule("PNT-6")
@pytest.mark.rule("PNT-9")
def test_on_the_last_statement_all_payments_are_and_the_rest_is_forfeited_with_the_end(club: Club) -> None:
    club.exchange("k-1", 100, "2026-07-10 12:00:00")
    club.exchange("k-1", 200, "2026-08-10 12:00:00")
    club.changes("k-1", in_force_to=date(2026, 8, 31), ended_at=at("2026-09-01 00:00:00"))
    club.ends("k-1", "2026-09-01 00:00:00")
    bill(club, 120)
    assert off(club) == {"k-1": 120}
    assert used(club) == [100, 20]
    assert club.balance("k-1", "2026-09-01 00:10:00") == 0
    assert [row for row in club.ledger() if row[2] == "return"]

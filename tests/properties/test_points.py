"""Members spend at random over ten fiscal years, while runs come late, twice or in time: the ledger beside a small book.

KEIYAKU_TEST_LIVES says how many lives. The book shares no code with the service; it is as if every run were in time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from rules.jobs import due_at
from rules.points import lapses_on
from store import points_off
from store.database import connect
from store.ledger import PointRow, RunRow, StatementRow
from store.migrate import upgrade
from store.sql import Whom, everybody
from store.write import insert, table
from tests.rules.cases import POLICY
from tests.store.club import Club, within

LIVES = max(int(os.environ.get("KEIYAKU_TEST_LIVES", "8")) // 4, 2)
MONTHS = 10 * 12
FIRST = 2026 * 12 + 3  # April 2026
A_MONTH = [100, 200, 300, 400, 500]


@dataclass
class Month:
    """What happens in it. `late`: its runs come only after whatever the customer did; `bill_late`: after the runs."""

    spent: list[tuple[int, int, bool]]
    bill: int
    bill_late: bool
    late: bool
    twice: bool
    suspended: bool


exchanges = st.tuples(
    st.integers(2, 28),
    st.sampled_from([1, 40, 100, 101, 250, 500, 1500, 5000]),
    st.sampled_from([True, True, False]),
)
months = st.builds(
    Month,
    # Now and then, or hardly any point would grow old enough to lapse.
    spent=st.one_of(st.just([]), st.just([]), st.lists(exchanges, max_size=2)),
    bill=st.sampled_from([-500, 0, 40, 250, 5720]),
    bill_late=st.booleans(),
    late=st.booleans(),
    twice=st.booleans(),
    suspended=st.sampled_from([False, False, False, True]),
)


@dataclass
class Book:
    """Lots by month of grant, each a year and month counted in months; what went into bills, by month of exchange."""

    lots: dict[int, int] = field(default_factory=dict)
    into_bills: dict[int, list[dict[int, int]]] = field(default_factory=dict)

    def begins(self, month: int, suspended: bool) -> None:
        """Two fiscal years after the one of the grant are over, then the grant of the day."""
        self.lots = {lot: left for lot, left in self.lots.items() if self.lives(lot, month)}
        if month > FIRST and not suspended:
            self.lots[month] = A_MONTH[min((month - FIRST) // 12, 4)]

    @staticmethod
    def lives(lot: int, month: int) -> bool:
        return (month - 3) // 12 - (lot - 3) // 12 <= 2

    def spends(self, month: int, number: int, into_bill: bool) -> bool:
        paid = sum(sum(taken.values()) for taken in self.into_bills.get(month, []))
        if number > sum(self.lots.values()) or (into_bill and paid + number > 5000):
            return False
        taken: dict[int, int] = {}
        for lot in sorted(self.lots):
            taken[lot] = min(self.lots[lot], number)
            number -= taken[lot]
            self.lots[lot] -= taken[lot]
        if into_bill:
            self.into_bills.setdefault(month, []).append(taken)
        return True

    def bills(self, month: int, total: int) -> None:
        """On the 1st after `month`: what was exchanged in the month before it comes off, the rest returns."""
        needed = max(total, 0)
        for taken in self.into_bills.get(month - 1, []):
            used = min(sum(taken.values()), needed)
            needed, left_over = needed - used, sum(taken.values()) - used
            for lot in sorted(taken, reverse=True):
                back = min(taken[lot], left_over)
                left_over -= back
                if self.lives(lot, month + 1):
                    self.lots[lot] += back


class Life:
    """One member, from April 2026 to the end of March 2036."""

    def __init__(self, club: Club) -> None:
        self.club, self.book = club, Book()
        club.member("k-1", "2026-04-01 00:00:01")

    def lives(self, told: list[Month]) -> None:
        for number, month in enumerate(told):
            self.month(FIRST + number, month)
        self.club.ends("k-1", f"{text(FIRST + MONTHS)}-01 00:00:00")
        self.sums_up()
        assert sum(self.left().values()) == 0

    def month(self, number: int, told: Month) -> None:
        if told.suspended:
            self.club.suspended("k-1", f"{text(number)}-01 01:00:00", f"{text(number)}-01 04:00:00")
        if not told.bill_late:
            self.bill(number - 1, told.bill)
        if not told.late:
            self.runs(number - 1, told.twice)
        if told.bill_late:
            self.bill(number - 1, told.bill)
        self.book.bills(number - 1, told.bill)
        self.book.begins(number, told.suspended)
        for day, points, into_bill in sorted(told.spent):
            item = None if into_bill else "router"
            no = self.club.exchange("k-1", points, f"{text(number)}-{day:02} 12:00:00", item)
            assert (no is None) == self.book.spends(number, points, into_bill), (no, number)
        if told.late:
            self.runs(number - 1, told.twice)
        self.as_in_the_book(number)

    def bill(self, number: int, total: int) -> None:
        """The month's statement, and the bill payments that come off it."""
        row: dict[str, Any] = {"contract_id": "k-1", "period": text(number), "billing_number": text(number)}
        row |= dict.fromkeys(("standard", "included", "untaxed", "tax", "points_used"), 0)
        row |= {"invoice": "line", "payment_method": "invoice", "payment_id": "pay-1"}
        row |= {"total_with_tax": total, "due_on": date(2026, 4, 1), "policy": ""}
        within(self.club.engine, lambda c: insert(c, StatementRow, [row]))
        for _ in range(2):
            within(
                self.club.engine, lambda c: points_off.take_off(c, text(number), Whom(everybody, {}), POLICY)
            )

    def runs(self, number: int, twice: bool) -> None:
        """The runs of the month after `number`, and that they are done."""
        periods = [("points-grant", text(number))]
        if number % 12 == 2:
            periods.append(("fiscal-year", f"FY{number // 12 - 1}"))
        for job, period in periods * (1 + twice):
            (self.club.grant if job == "points-grant" else self.club.lapse)(period)
        for job, period in periods:
            at = due_at(POLICY.job(job), period)
            row = {"job": job, "period": period, "state": "done", "due_at": at, "started_at": at}
            within(self.club.engine, lambda c, row=row: insert(c, RunRow, [row | {"expected": 1, "done": 1}]))  # type: ignore[misc]

    # What always holds

    def as_in_the_book(self, number: int) -> None:
        self.sums_up()
        day = date.fromisoformat(f"{text(number)}-28")
        assert not [
            lot for lot, part in self.parts().items() if part["left"] and lapses_on(lot, POLICY) < day
        ]
        there = dict(self.club.lots("k-1", f"{text(number)}-28 23:59:59"))
        assert there == {f"{text(lot)}-01": left for lot, left in self.book.lots.items() if left}

    def sums_up(self) -> None:
        """PNT-10, per lot and in sum; and no lot gives more than it has."""
        for lot, parts in self.parts().items():
            assert parts["granted"] == parts["gone"] + parts["left"], lot
            assert 0 <= parts["left"] <= parts["granted"], lot
        whole = [sum(part[name] for part in self.parts().values()) for name in ("granted", "gone", "left")]
        assert whole[0] == whole[1] + whole[2]

    def parts(self) -> dict[date, dict[str, int]]:
        """granted = spent - returned + lapsed + forfeited + balance."""
        found: dict[date, dict[str, int]] = {}
        left = self.left()
        for row in self.rows():
            lot = found.setdefault(
                row["granted_on"], {"granted": 0, "gone": 0, "left": left[row["granted_on"]]}
            )
            lot["granted" if row["what"] == "grant" else "gone"] += (
                row["points"] if row["what"] == "grant" else -row["points"]
            )
        return found

    def left(self) -> dict[date, int]:
        lots: dict[date, int] = {}
        for row in self.rows():
            lots[row["granted_on"]] = lots.get(row["granted_on"], 0) + row["points"]
        return lots

    def rows(self) -> list[dict[str, Any]]:
        found = select(table(PointRow))
        return [dict(row) for row in within(self.club.engine, lambda c: c.execute(found).mappings().all())]


def text(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("points") / "empty.db"
    upgrade(f"sqlite:///{file}")
    yield file


@pytest.mark.rule("PNT-4", "PNT-5", "PNT-6", "PNT-9", "PNT-10")
@settings(
    max_examples=LIVES,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    report_multiple_bugs=False,
)
@given(told=st.lists(months, min_size=MONTHS, max_size=MONTHS))
def test_over_ten_fiscal_years_every_point_is_accounted_for(empty: Path, told: list[Month]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="keiyaku-points-"))
    shutil.copy(empty, folder / "keiyaku.db")
    engine = connect(f"sqlite:///{folder}/keiyaku.db")
    try:
        Life(Club(engine)).lives(told)
    finally:
        engine.dispose()
        shutil.rmtree(folder)

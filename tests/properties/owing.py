"""What comes of a bill that stays unpaid, beside everything else (BIL-3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.bills_book import Owed
from tests.properties.passports import Passports, which


def month_before(now: datetime) -> str:
    return f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"


def last_day(now: datetime) -> date:
    return (now.replace(day=28) + timedelta(days=4)).replace(day=1).date() - timedelta(days=1)


class Owing(Passports):
    @precondition(lambda self: not self.book.over(self.now))
    @rule(yen=st.sampled_from([1, 3000, 5720]), kept=st.booleans())
    def a_bill_stays_unpaid(self, yen: int, kept: bool) -> None:
        """On the next 25th the settlement leaves that of the month before unpaid; it is due at the month's end."""
        day = self.now if self.now.day < 25 else self.now.replace(day=1) + timedelta(days=32)
        if month_before(day) < f"{self.line.contract.applied_at:%Y-%m}":  # no month of its own is over yet
            day = day.replace(day=1) + timedelta(days=32)
        self.goes_to(day.replace(day=25, hour=6, minute=0, second=0), kept)
        if self.book.over(self.now):
            return
        period, due_on = month_before(self.now), last_day(self.now)
        self.line.owes(self.now, period, due_on, yen)
        self.done()
        self.book.bills.owed[period] = Owed(due_on, yen)

    @precondition(lambda self: self.book.bills.left())
    @rule(meant=which, yen=st.sampled_from([1, 2999, 3000, 5720]))
    def money_comes_in(self, meant: int, yen: int) -> None:
        known = sorted(self.book.bills.left())
        self._pays(known[meant % len(known)], yen)

    def pays_everything(self) -> None:
        for period, yen in self.book.bills.left().items():
            self._pays(period, yen)

    def _pays(self, period: str, yen: int) -> None:
        self.line.pays(self.now, period, yen)
        self.done()
        self.book.bills.pays(period, yen, self.now)

    def goes_to(self, now: datetime, kept: bool) -> None:
        self.now = now
        if kept:
            self.keeps_time()

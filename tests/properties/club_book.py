"""The members' club once more, as small as it goes: who is in, and what points there are. As if every run were in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

A_MONTH = {"next": (100, 200, 300, 400, 500), "cross": (100, 200, 300, 400, 500), "light": (50,)}
INTO_BILLS = 5000


def firsts(after: datetime, until: datetime) -> list[datetime]:
    """03:00 of every 1st in between, the last one included (PNT-2)."""
    months = range(after.year * 12 + after.month - 1, until.year * 12 + until.month)
    found = [datetime(month // 12, month % 12 + 1, 1, 3, tzinfo=after.tzinfo) for month in months]
    return [one for one in found if after < one <= until]


def last_day_of(granted: date) -> date:
    """PNT-4: the end of the fiscal year after next."""
    return date(granted.year + (3 if granted.month > 3 else 2), 3, 31)


@dataclass
class Club:
    """What is known of one line's membership. `link` is the procedure of a link that is on its way or out."""

    link: str | None = None
    sent: bool = False
    void_at: datetime | None = None
    since: datetime | None = None
    over: bool = False
    keyed: bool = False
    reckoned: datetime | None = None
    lots: dict[date, int] = field(default_factory=dict)
    types: list[tuple[datetime, str]] = field(default_factory=list)
    paid: dict[tuple[int, int], int] = field(default_factory=dict)

    def until(self, now: datetime) -> None:
        """Whatever the calendar has brought by `now`."""
        if self.sent and self.void_at and now >= self.void_at:
            self.link, self.sent = None, False

    def opens(self, link: str, now: datetime) -> bool:
        """PNT-1: the newest link, for seven days."""
        return link == self.link and self.sent and self.void_at is not None and now < self.void_at

    def waits(self, now: datetime) -> bool:
        """Whether somebody has asked to join, and may still."""
        return self.link is not None and (not self.sent or self.opens(self.link, now))

    def reckons(self, now: datetime, suspended: Callable[[datetime], bool]) -> None:
        """Points come and go by their dates, whether or not anybody has looked; none come while suspended (PNT-3)."""
        if self.since is None or self.over:
            return
        for at in firsts(self.reckoned or self.since, now):
            if self.since <= at.replace(hour=0) and not suspended(at):
                self.lots[at.date()] = self.monthly(at)
        self.reckoned = now
        self.lots = {on: left for on, left in self.lots.items() if last_day_of(on) >= now.date()}

    def monthly(self, at: datetime) -> int:
        """PNT-2: by the year of membership and by the type that the line had before the month."""
        assert self.since
        (_, first), *later = self.types
        table = A_MONTH[[first, *(kind for since, kind in later if since < at.replace(hour=0))][-1]]
        years = (at.year * 12 + at.month - self.since.year * 12 - self.since.month) // 12
        return table[min(years, len(table) - 1)]

    def asked(self, procedure_id: str, now: datetime, easy: bool) -> None:
        """PNT-1: the newest link, and none but it; an easy entry waits for an operator."""
        self.link, self.sent = procedure_id, not easy
        self.void_at = now + timedelta(days=7)

    def checked(self, approved: bool, now: datetime) -> None:
        self.link, self.sent = (self.link, True) if approved else (None, False)
        self.void_at = now + timedelta(days=7)

    def joins(self, now: datetime) -> None:
        self.link, self.sent, self.since = None, False, now

    def ends(self) -> None:
        """PNT-9."""
        self.link, self.sent, self.over, self.lots = None, False, True, {}

    @property
    def balance(self) -> int:
        return sum(self.lots.values())

    def against_exchange(self, points: int, into_bill: bool, from_line: bool, now: datetime) -> set[str]:
        against = {"PNT-6"} if points > self.balance else set()
        if not into_bill and not (from_line or self.keyed):
            against |= {"PNT-7"}
        if into_bill and self.paid.get((now.year, now.month), 0) + points > INTO_BILLS:
            against |= {"PNT-6"}
        return against

    def spends(self, points: int, into_bill: bool, now: datetime) -> None:
        """PNT-5: the oldest first."""
        if into_bill:
            month = now.year, now.month
            self.paid[month] = self.paid.get(month, 0) + points
        for on in sorted(self.lots):
            part = min(self.lots[on], points)
            self.lots[on], points = self.lots[on] - part, points - part

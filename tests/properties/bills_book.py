"""Unpaid bills, as small as it goes: when one suspends a line or ends it, and from when to when it was suspended (BIL-3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.rules.cases import at

STEPS = {1: "carried_over", 31: "suspension_notice", 46: "suspended", 76: "termination_notice"}
SUSPENDED, TERMINATED = 46, 91


@dataclass
class Owed:
    due_on: date
    left: int
    # Whether its collection is over: paid, or run to its end.
    over: bool = False

    def after(self, days: int) -> datetime:
        return at(f"{self.due_on + timedelta(days=days)} 00:00:00")

    def state(self, now: datetime) -> str:
        reached = [name for days, name in STEPS.items() if self.after(days) <= now]
        return reached[-1] if reached else "unpaid"


@dataclass
class Bills:
    """What one line owes, by month, and its suspensions."""

    owed: dict[str, Owed] = field(default_factory=dict)
    blocks: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def until(self, now: datetime) -> None:
        """Whatever the calendar has brought by `now`."""
        since = min((one.after(SUSPENDED) for one in self._running()), default=None)
        if since and since <= now and not self._open():
            self.blocks.append((since, None))

    def left(self) -> dict[str, int]:
        return {period: one.left for period, one in self.owed.items() if one.left}

    def demand(self, now: datetime) -> bool:
        """Whether one of them keeps the line suspended."""
        return any(one.after(SUSPENDED) <= now for one in self._running())

    def blocked(self, when: datetime) -> bool:
        return any(since <= when and (until is None or when < until) for since, until in self.blocks)

    def end_at(self) -> datetime | None:
        """When the first of them ends the line."""
        return min((one.after(TERMINATED) for one in self._running()), default=None)

    def deadlines(self) -> list[datetime]:
        return [one.after(days) for one in self._running() for days in (*STEPS, TERMINATED)]

    def pays(self, meant: str, yen: int, now: datetime) -> None:
        """First the bill that is meant, then the oldest."""
        for period in [meant, *sorted(set(self.owed) - {meant})]:
            one = self.owed[period]
            part = min(yen, one.left)
            one.left, yen = one.left - part, yen - part
            one.over = one.over or not one.left
        if not self.demand(now):
            self.lifted(now)

    def lifted(self, now: datetime) -> None:
        """Paid, or the line is over."""
        if self._open():
            self.blocks[-1] = self.blocks[-1][0], now

    def _open(self) -> bool:
        return bool(self.blocks) and self.blocks[-1][1] is None

    def _running(self) -> list[Owed]:
        return [one for one in self.owed.values() if not one.over]

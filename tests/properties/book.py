"""The rulebook once more, as small as it goes: what a line, its passport IDs and their purchases may do, and when.

It shares no code with the service: dates are reckoned anew. A verdict is the set of rules that speak against a request,
as the rulebook does not say which of them is named first; an empty one allows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.properties.bills_book import Bills
from tests.properties.club_book import Club

SECOND = timedelta(seconds=1)
Rules = set[str]
ALLOWED: Rules = set()


def month_of(now: datetime) -> tuple[int, int]:
    return now.year, now.month


def midnight_after(now: datetime, days: int) -> datetime:
    return now.replace(hour=0, minute=0, second=0) + timedelta(days=days)


def month_end(now: datetime) -> datetime:
    """LIN-4: by the 15th the end of this month, from the 16th that of the next."""
    months = now.year * 12 + now.month - 1 + (1 if now.day <= 15 else 2)
    return now.replace(year=months // 12, month=months % 12 + 1, day=1, hour=0, minute=0, second=0)


def open_between(now: datetime, opens: str, closes: str) -> bool:
    """COL-1, IDN-2: never from 29 December to 3 January."""
    return f"{now:%m-%d}" < "12-29" and f"{now:%m-%d}" > "01-03" and opens <= f"{now:%H:%M:%S}" <= closes


@dataclass
class Passport:
    name: str
    cap: int | None
    tied_to_line: bool = True
    restricted: bool = False
    # How far the written form has come, and until when it may come back.
    form: str | None = None
    back_by: datetime | None = None
    password: str = "-"

    def asked(self, now: datetime) -> bool:
        """Whether a written form is under way: asked for, or sent and not lapsed, or back (MAT-10)."""
        lapsed = self.form == "sent" and self.back_by is not None and now >= self.back_by
        return self.form is not None and not lapsed


@dataclass
class Bought:
    passport_id: str
    at: datetime
    amount: int
    monthly: bool
    ended_at: datetime | None = None

    def costs_in(self, now: datetime) -> bool:
        """Whether it stands on the bill of the month: bought in it, or settled on its 1st (MAT-4, MAT-8)."""
        first = now.replace(day=1, hour=0, minute=0, second=0)
        settled = self.monthly and (self.ended_at is None or self.ended_at >= first)
        return self.at >= first or settled


@dataclass
class Book:
    """What is known of one line."""

    cap: int
    line_type: str
    converted: bool = False
    cancelled_to: datetime | None = None
    ended: bool = False
    number: str | None = None
    number_state: str = ""
    lapses_at: datetime | None = None
    moving: str | None = None
    new_type: str = ""
    card_asked: bool = False
    access_keys: int = 1
    authentication_keys: int = 0
    gone: list[str] = field(default_factory=list)
    ids: dict[str, Passport] = field(default_factory=dict)
    bought: dict[str, Bought] = field(default_factory=dict)
    club: Club = field(default_factory=Club)
    bills: Bills = field(default_factory=Bills)

    @property
    def ends_at(self) -> datetime | None:
        """By a cancellation or by an unpaid bill, whichever comes first."""
        return min(filter(None, (self.cancelled_to, self.bills.end_at())), default=None)

    def state(self, now: datetime) -> str:
        if self.over(now):
            return "converted" if self.converted else "ended"
        return "ending" if self.cancelled_to else "suspended" if self.bills.demand(now) else "active"

    def deadlines(self, now: datetime) -> list[datetime]:
        """What comes by itself later than `now`, the next first."""
        if self.over(now):
            return []
        known = [
            self.ends_at,
            self.lapses_at if self.number_state == "issued" else None,
            *self.bills.deadlines(),
        ]
        known += [one.back_by for one in self.ids.values() if one.form == "sent"]
        known += [self.club.void_at if self.club.sent else None]
        return sorted(one for one in known if one and one > now)

    def until(self, now: datetime) -> None:
        """Whatever the calendar has brought by `now`."""
        self.reckons(now)
        self.club.until(now)
        if self.number_state == "issued" and self.lapses_at and now >= self.lapses_at:
            self.number, self.number_state = None, ""
        for passport in self.ids.values():
            passport.form = passport.form if passport.asked(now) else None
        if not self.ended and self.ends_at and now >= self.ends_at:
            self.ends(self.ends_at)

    def reckons(self, now: datetime) -> None:
        if not self.ended:
            until = min(now, self.ends_at - SECOND) if self.ends_at else now
            self.bills.until(until)
            self.club.reckons(until, self.bills.blocked)

    def over(self, now: datetime) -> bool:
        return self.ended or (self.ends_at is not None and now >= self.ends_at)

    def ends(self, at: datetime) -> None:
        """LIN-4, COL-3, BIL-3: nothing hangs on it any more."""
        self.ended = True
        self.bills.lifted(at)
        for passport_id in list(self.ids):
            self.deletes(passport_id, at)
        self.number, self.number_state, self.moving = None, "", None
        self.club.ends()

    def deletes(self, passport_id: str, at: datetime) -> None:
        del self.ids[passport_id]
        self.gone.append(passport_id)
        self.items_end(passport_id, at)

    def items_end(self, passport_id: str, at: datetime) -> None:
        for one in self.bought.values():
            if one.passport_id == passport_id and one.monthly and one.ended_at is None:
                one.ended_at = at

    def spent(self, now: datetime, passport_id: str | None = None) -> int:
        """The month's purchases, of the line or of one ID."""
        mine = [one for one in self.bought.values() if passport_id in (None, one.passport_id)]
        return sum(one.amount for one in mine if one.costs_in(now))

    def restricted(self) -> list[str]:
        return sorted(passport_id for passport_id, one in self.ids.items() if one.restricted)

    def room(self, passport_id: str, now: datetime) -> int:
        """How many yen may still be spent with the ID in this month."""
        own = self.ids[passport_id].cap
        by_id = self.cap if own is None else own - self.spent(now, passport_id)
        return min(self.cap - self.spent(now), by_id)

    # Verdicts

    def against_request(self, kind: str, now: datetime, subject: str = "") -> Rules:
        """CAL-4, and what the request's own rules add."""
        if self.over(now):
            return {"CAL-4"}
        against = self._beside(kind, now)
        if kind == "conversion" and not open_between(now, "08:30:00", "21:59:59"):
            against |= {"COL-1"}
        if kind == "access_key" and not open_between(now, "09:00:00", "16:59:59"):
            against |= {"IDN-2"}
        if kind == "restriction" and self.ids[subject].restricted:
            against |= {"MAT-9"}
        if kind == "unrestriction" and (not self.ids[subject].restricted or self.ids[subject].asked(now)):
            against |= {"MAT-10"}
        if kind == "line_type_change" and subject == self.line_type:
            against |= {"LIN-3"}
        return against

    def _beside(self, kind: str, now: datetime) -> Rules:
        against: Rules = set()
        begins = {"conversion", "move", "line_type_change", "unrestriction", "membership"}
        if self.bills.demand(now) and kind in begins - {"unrestriction", "membership"}:
            against |= {"CAL-4"}
        if self.cancelled_to:
            against |= {"RNT-9"} if kind == "cancellation" else {"CAL-4"} if kind in begins else ALLOWED
        if self.number_state == "taken_up":
            against |= {"COL-2"} if kind == "conversion" else ALLOWED
            against |= {"CAL-4"} if kind in begins - {"conversion"} | {"cancellation"} else ALLOWED
        if self.moving and kind in begins - {"unrestriction", "membership"}:
            against |= {"CAL-4"}
        if self.card_asked and kind == "payment_method":
            against |= {"CAL-4"}
        return against

    def against_step(self, number: str, event: str, now: datetime) -> Rules:
        """What speaks against the other operator's `take_up` or `switch_over` (COL-2)."""
        needed = {"take_up": "issued", "switch_over": "taken_up"}[event]
        lapsed = self.number_state == "issued" and self.lapses_at is not None and now >= self.lapses_at
        if self.over(now) or number != self.number or self.number_state != needed or lapsed:
            return {"COL-2"}
        suspended = event == "take_up" and self.bills.demand(now)
        return {"CAL-4"} if self.cancelled_to or suspended else ALLOWED

    def against_new_id(self, cap: int | None, taken: bool, now: datetime) -> Rules:
        against = {"CAL-4"} if self.state(now) != "active" else set()
        against |= {"MAT-3"} if len(self.ids) >= 5 else ALLOWED
        return against | self._cap(cap) | ({"MAT-2"} if taken else ALLOWED)

    def against_new_face(self, passport_id: str, cap: int | None, taken: bool, now: datetime) -> Rules:
        """A new name or cap."""
        return self.against_deletion(passport_id, now) | self._cap(cap) | ({"MAT-2"} if taken else ALLOWED)

    def against_deletion(self, passport_id: str, now: datetime) -> Rules:
        if self.over(now):
            return {"CAL-4"}
        return {"MAT-10"} if self.ids[passport_id].restricted else set()

    def _cap(self, cap: int | None) -> Rules:
        return {"MAT-4"} if cap is not None and cap > self.cap else set()

    def against_purchase(self, passport_id: str, amount: int, from_line: bool, now: datetime) -> Rules:
        """`gone` where there is no such ID any more."""
        if self.over(now) or passport_id not in self.ids:
            return {"gone"}
        passport, against = self.ids[passport_id], {"BIL-3"} if self.bills.demand(now) else set()
        if passport.restricted:
            against |= {"MAT-9"}
        if passport.tied_to_line and not from_line:
            against |= {"MAT-5"}
        if self.spent(now) + amount > self.cap:
            against |= {"MAT-4"}
        if passport.cap is not None and self.spent(now, passport_id) + amount > passport.cap:
            against |= {"MAT-4"}
        return against

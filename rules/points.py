"""Points of the members' club: how many are granted, when they lapse, in which order they are spent (PNT-2 to PNT-9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rules.calendar import day_of, first_of_month, fiscal_year_end, midnight
from rules.facts import Contract
from rules.figures import LAPSE_AFTER_AT_MOST, Policy
from rules.passport_id import state_at
from rules.refusal import Refusal

USABLE = frozenset({"active", "ending", "suspended"})


@dataclass(frozen=True, slots=True, order=True)
class Lot:
    """What is left of the points granted on a day. The last day on which they may be spent is `lapses_on`."""

    granted_on: date
    lapses_on: date
    left: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What points are to be exchanged for: `bill_payment`, or an `item` of the list (PNT-6)."""

    exchange_id: str
    kind: str
    points: int
    item: str | None = None


def lapses_on(granted_on: date, policy: Policy) -> date:
    """PNT-4: the last day of the fiscal year after next."""
    return fiscal_year_end(granted_on, policy.points.lapse_after_fiscal_years)


def last_days(today: date, ended: int = 0) -> list[date]:
    """The last days of all lots that have not lapsed yet, and of those of so many fiscal years that `ended` (PNT-4)."""
    return [fiscal_year_end(today, years) for years in range(-ended, LAPSE_AFTER_AT_MOST + 1)]


def joined_from(granted_on: date, year: int) -> datetime:
    """The first instant of joining whose year of membership on that day is `year` at most.

    PNT-2: the first is the month of joining and the eleven after it.
    """
    return midnight(first_of_month(granted_on, 1 - 12 * year))


def balance(lots: Iterable[Lot]) -> int:
    return sum(lot.left for lot in lots)


def lapsing(lots: Iterable[Lot], today: date) -> int:
    """PNT-8: what lapses at the end of this fiscal year."""
    return balance(lot for lot in lots if lot.lapses_on == fiscal_year_end(today))


def spend(lots: Iterable[Lot], points: int) -> list[tuple[Lot, int]]:
    """PNT-5: the oldest first. Raises ValueError where they do not suffice."""
    taken = []
    for lot in sorted(lots):
        part = min(lot.left, points)
        points -= part
        if part:
            taken.append((lot, part))
    if points:
        raise ValueError("more than there are")
    return taken


def give_back(spent: Iterable[tuple[date, int]], points: int) -> list[tuple[date, int]]:
    """PNT-6: what a bill did not need returns to its lots, by day of grant: spent last, back first."""
    back = []
    for granted_on, part in sorted(spent, reverse=True):
        returned = min(part, points)
        points -= returned
        if returned:
            back.append((granted_on, returned))
    return back


def not_usable(contract: Contract, now: datetime) -> Refusal | None:
    """Points are a line's, and end with it (PNT-9, CAL-4). A suspended line keeps them."""
    state = state_at(contract, now)
    if contract.product == "line" and state in USABLE:
        return None
    return Refusal(rule="CAL-4", reason="not_in_force", data={"state": state})


def refusal(
    wanted: Wanted,
    paid: int,
    lots: Sequence[Lot],
    proven: bool,
    now: datetime,
    policy: Policy,
    last_day: date | None = None,
) -> Refusal | None:
    """Why there is no such exchange.

    `paid`: points that went into bills this month (PNT-6); `lots`: what is left; `proven`: it comes from the contract's
    own line, or an authentication key is registered (PNT-7); `last_day`: the line's, where that is decided.
    """
    most, held = policy.points.bill_payment_per_month, balance(lots)
    into_bill = wanted.kind == "bill_payment"
    if not into_bill and not proven:
        return Refusal(rule="PNT-7", reason="exchange_not_from_line")
    if into_bill and wanted.points > most:
        return Refusal(rule="PNT-6", reason="bill_payment_too_large", data={"most": most})
    if wanted.points > held:
        return Refusal(rule="PNT-6", reason="too_few_points", data={"held": held})
    if into_bill and paid + wanted.points > most:
        return _over_limit(wanted.points, most - paid, lots, now, most, last_day)
    return None


def _over_limit(
    points: int, left: int, lots: Sequence[Lot], now: datetime, most: int, last_day: date | None
) -> Refusal:
    """PNT-6: counted anew from the 1st of each month, for a line that is in force then and has the points."""
    first = first_of_month(day_of(now), 1)
    then = balance(lot for lot in lots if lot.lapses_on >= first)
    if points > then or (last_day and last_day < first):
        return Refusal(rule="PNT-6", reason="bill_payment_left", data={"most": most, "left": left})
    return Refusal(rule="PNT-6", reason="bill_payment_limit", opens_at=midnight(first), data={"most": most})

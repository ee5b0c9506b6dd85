"""The runs over all contracts: each deals with a month or fiscal year that is over, by the calendar (CAL-1, CAL-2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from rules.calendar import JST, YEARS, day_of, first_of_month, fiscal_year, midnight, months_between
from rules.figures import Job, Policy

NAMES = frozenset({"month-end", "fiscal-year", "points-grant", "points-warning", "points-mail", "settlement"})
YEARLY = frozenset({"fiscal-year"})
# What a run builds on must be done for the same month before it begins: month end returns points that no bill took.
AFTER = {
    "settlement": ("month-end",),
    "points-mail": ("month-end", "points-grant"),
    "points-warning": ("month-end", "points-grant"),
}


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A run that the calendar asks for."""

    at: datetime
    job: str
    period: str


def first_day(period: str) -> date:
    """The first day of `yyyy-mm` or `FYyyyy`. Raises ValueError."""
    if found := re.fullmatch(r"FY([0-9]{4})", period):
        return date(int(found[1]), 4, 1)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", period):
        raise ValueError(period)
    return date.fromisoformat(f"{period}-01")


def month(day: date) -> str:
    """The month of `day`, as a period."""
    return f"{day:%Y-%m}"


def months(first: date, last: str) -> list[str]:
    """The months from the one of `first` to `last`, as periods; none where that is before it."""
    count = months_between(first, first_day(last))
    return [month(first_of_month(first, n)) for n in range(count)]


def following(period: str) -> date:
    """The first day after the period."""
    return first_of_month(first_day(period), 12 if period.startswith("FY") else 1)


def due_at(job: Job, period: str) -> datetime:
    """When the calendar has `job` deal with `period`: in the month after it."""
    return datetime.combine(following(period).replace(day=job.day), job.at, JST)


def fits(job: Job, period: str) -> bool:
    """Whether `period` is one that the calendar has `job` deal with, at whatever time."""
    try:
        year, after = first_day(period).year, following(period)
    except ValueError:
        return False
    meant = YEARS[0] <= year <= YEARS[1] and period.startswith("FY") == (job.job in YEARLY)
    return meant and after.month in job.months


def due_between(after: datetime, until: datetime, policy: Policy) -> list[Due]:
    """Every run due later than `after` and not later than `until`, in the order of the dates."""
    found: list[Due] = []
    first = first_of_month(day_of(after))
    while midnight(first) <= until:
        found += [_in_month(job, first) for job in policy.jobs if first.month in job.months]
        first = first_of_month(first, 1)
    return sorted(due for due in found if after < due.at <= until)


def next_due(job: Job, now: datetime) -> Due:
    """The next run of `job` later than `now`."""
    first = first_of_month(day_of(now))
    while first.month not in job.months or _in_month(job, first).at <= now:
        first = first_of_month(first, 1)
    return _in_month(job, first)


def last_due(job: Job, now: datetime) -> Due:
    """The run of `job` that was due last, at `now` or before."""
    first = first_of_month(day_of(now))
    while first.month not in job.months or _in_month(job, first).at > now:
        first = first_of_month(first, -1)
    return _in_month(job, first)


def period_at(job: str, at: datetime) -> str:
    """The period that is over when a run of `job` is due at `at`."""
    before = first_of_month(day_of(at), -1)
    return f"FY{fiscal_year(before)}" if job in YEARLY else month(before)


def _in_month(job: Job, first: date) -> Due:
    """The run of the month that begins on `first`."""
    period = period_at(job.job, midnight(first))
    return Due(due_at(job, period), job.job, period)

"""Hours at which something is taken, on any day but the days around New Year (COL-1, IDN-2)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from rules.calendar import JST, day_of
from rules.figures import YearEnd


def closed_until(now: datetime, opens: time, closes: time, closed: YearEnd) -> datetime | None:
    """None while it is open; otherwise the next instant at which it will be. `closes` is the first second that is late."""
    local = now.astimezone(JST)
    if opens <= local.time() < closes and not _closed(local.date(), closed):
        return None
    day = day_of(now) + timedelta(days=0 if local.time() < opens else 1)
    while _closed(day, closed):
        day += timedelta(days=1)
    return datetime.combine(day, opens, JST)


def _closed(day: date, closed: YearEnd) -> bool:
    late = (day.month, day.day) >= (closed.first_month, closed.first_day)
    early = (day.month, day.day) <= (closed.last_month, closed.last_day)
    return late or early

"""Business dates (CAL-1, CAL-2): everything is reckoned in Asia/Tokyo, where a day begins at 00:00."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")
YEARS = 1900, 2199
"""The first and the last that anybody means. Elsewhere 9999-12-31 or 0001-01-01 may stand for no day at all."""


def midnight(day: date) -> datetime:
    """00:00 of `day` in Japan."""
    return datetime.combine(day, time(), JST)


def day_of(instant: datetime) -> date:
    """The business date on which `instant` falls."""
    return instant.astimezone(JST).date()


def first_of_month(day: date, months: int = 0) -> date:
    """The 1st of the month `months` after the one of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def last_of_month(day: date, months: int = 0) -> date:
    """The last day of the month `months` after the one of `day`."""
    return first_of_month(day, months + 1) - timedelta(days=1)


def months_between(first: date, last: date) -> int:
    """Calendar months touched by the days `first` to `last`, both included."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def end_of(last_day: date) -> datetime:
    """The instant at which something in force to the end of `last_day` stops (CAL-1)."""
    return midnight(last_day + timedelta(days=1))


def fiscal_year(day: date) -> int:
    """The fiscal year of `day`: FY2026 is 2026-04-01 to 2027-03-31 (CAL-2)."""
    return day.year if day.month >= 4 else day.year - 1


def fiscal_year_end(day: date, years: int = 0) -> date:
    """31 March that closes the fiscal year `years` after the one of `day` (CAL-2)."""
    return date(fiscal_year(day) + years + 1, 3, 31)

from datetime import UTC, date, datetime

import pytest

from rules import calendar
from tests.rules.cases import at


@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 6, 30, 14, 59, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 15, 0, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), date(2026, 7, 1)),
        (at("2026-06-30 23:59:59"), date(2026, 6, 30)),
        (at("2026-07-01 00:00:00"), date(2026, 7, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_japan_whatever_the_clock_s_zone(instant: datetime, day: date) -> None:
    assert calendar.day_of(instant) == day


@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("last_day", "ends"),
    [
        (date(2026, 6, 30), "2026-07-01T00:00:00+09:00"),
        (date(2027, 2, 28), "2027-03-01T00:00:00+09:00"),
        (date(2028, 2, 29), "2028-03-01T00:00:00+09:00"),
        (date(2026, 12, 31), "2027-01-01T00:00:00+09:00"),
    ],
)
def test_what_ends_with_a_day_is_in_force_for_all_of_it(last_day: date, ends: str) -> None:
    assert calendar.end_of(last_day).isoformat() == ends


@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("day", "months", "first", "last"),
    [
        (date(2026, 6, 15), 0, date(2026, 6, 1), date(2026, 6, 30)),
        (date(2026, 12, 31), 1, date(2027, 1, 1), date(2027, 1, 31)),
        (date(2026, 12, 31), 2, date(2027, 2, 1), date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 1), date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 1), date(2029, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 1, 31), -1, date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_months_are_counted_over_their_ends(day: date, months: int, first: date, last: date) -> None:
    assert calendar.first_of_month(day, months) == first
    assert calendar.last_of_month(day, months) == last


@pytest.mark.rule("CAL-2")
@pytest.mark.parametrize(
    ("day", "year", "ends"),
    [
        (date(2026, 3, 31), 2025, date(2026, 3, 31)),
        (date(2026, 4, 1), 2026, date(2027, 3, 31)),
        (date(2026, 12, 31), 2026, date(2027, 3, 31)),
        (date(2027, 3, 31), 2026, date(2027, 3, 31)),
        (date(2027, 4, 1), 2027, date(2028, 3, 31)),
    ],
)
def test_the_fiscal_year_runs_from_april_to_march(day: date, year: int, ends: date) -> None:
    assert calendar.fiscal_year(day) == year
    assert calendar.fiscal_year_end(day) == ends


@pytest.mark.rule("CAL-2")
def test_a_later_fiscal_year_end_is_counted_from_the_year_of_the_day() -> None:
    assert calendar.fiscal_year_end(date(2026, 4, 1), 2) == date(2029, 3, 31)
    assert calendar.fiscal_year_end(date(2026, 3, 31), 2) == date(2028, 3, 31)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (date(2026, 4, 30), date(2026, 4, 30), 1),
        (date(2026, 4, 30), date(2026, 5, 31), 2),
        (date(2026, 7, 1), date(2027, 6, 30), 12),
        (date(2026, 7, 31), date(2027, 7, 31), 13),
    ],
)
def test_a_month_that_is_touched_counts_whole(first: date, last: date, months: int) -> None:
    assert calendar.months_between(first, last) == months

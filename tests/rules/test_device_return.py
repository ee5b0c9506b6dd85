from datetime import date

import pytest

from rules import device_return
from rules.calendar import day_of
from tests.rules.cases import POLICY, at


@pytest.mark.rule("RNT-10")
@pytest.mark.parametrize(
    ("last_day", "overdue", "charged"),
    [
        (date(2026, 6, 30), "2026-07-11 00:00:00", "2026-07-25 00:00:00"),
        (date(2027, 2, 28), "2027-03-11 00:00:00", "2027-03-25 00:00:00"),
        (date(2028, 2, 29), "2028-03-11 00:00:00", "2028-03-25 00:00:00"),
        (date(2026, 3, 31), "2026-04-11 00:00:00", "2026-04-25 00:00:00"),
        (date(2026, 12, 31), "2027-01-11 00:00:00", "2027-01-25 00:00:00"),
    ],
)
def test_due_after_ten_days_charged_fourteen_after_the_reminder(
    last_day: date, overdue: str, charged: str
) -> None:
    assert device_return.overdue_at(last_day, POLICY) == at(overdue)
    assert device_return.charged_at(last_day, POLICY) == at(charged)


@pytest.mark.rule("RNT-10")
def test_all_of_the_tenth_day_is_in_time() -> None:
    overdue = device_return.overdue_at(date(2026, 6, 30), POLICY)
    assert at("2026-07-10 23:59:59") < overdue
    assert day_of(overdue) == date(2026, 7, 11)

"""Who may still sign in, at both sides of the edge."""

from __future__ import annotations

from datetime import date

import pytest

from rules import policy
from rules.session import may_sign_in
from tests.rules.cases import at, rental


@pytest.mark.parametrize(
    ("in_force_to", "now", "allowed"),
    [
        (date(2027, 6, 30), "2028-06-30 23:59:59", True),
        (date(2027, 6, 30), "2028-07-01 00:00:00", False),
        (date(2027, 6, 10), "2028-06-10 23:59:59", True),  # converted in the middle of a month
        (date(2027, 6, 10), "2028-06-11 00:00:00", False),
        (date(2027, 2, 28), "2028-02-29 23:59:59", True),
        (date(2027, 2, 28), "2028-03-01 00:00:00", False),
        (date(2028, 2, 28), "2029-02-28 23:59:59", True),
        (date(2028, 2, 28), "2029-03-01 00:00:00", False),
        (date(2027, 12, 31), "2028-12-31 23:59:59", True),
        (date(2027, 12, 31), "2029-01-01 00:00:00", False),
        (None, "2099-01-01 00:00:00", True),
    ],
)
def test_sign_in_works_for_twelve_months_after_the_end(
    in_force_to: date | None, now: str, allowed: bool
) -> None:
    contract = rental(in_force_to=in_force_to)
    assert may_sign_in([contract], at(now), policy.load()) is allowed

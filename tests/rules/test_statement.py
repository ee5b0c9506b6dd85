"""What a bill comes to, when it is due, and how long it is shown."""

from datetime import date

import pytest

from rules import statement
from rules.statement import Sums
from tests.rules.cases import POLICY, at


@pytest.mark.rule("BIL-9")
@pytest.mark.parametrize(
    ("base", "tax"),
    [(0, 0), (1, 0), (9, 0), (10, 1), (19, 1), (5205, 520), (5209, 520), (5210, 521), (10**12 + 9, 10**11)],
)
def test_tax_is_ten_per_cent_rounded_down(base: int, tax: int) -> None:
    assert statement.tax(base, POLICY) == tax


@pytest.mark.rule("BIL-9")
@pytest.mark.parametrize(("base", "tax"), [(-1, -1), (-10, -1), (-11, -2), (-20000, -2000)])
def test_what_is_taken_back_brings_its_tax_back_and_is_rounded_down_too(base: int, tax: int) -> None:
    assert statement.tax(base, POLICY) == tax


@pytest.mark.rule("BIL-9")
def test_tax_is_on_the_sum_of_a_class_and_not_on_each_line() -> None:
    three_lines = [2805, 405, 305]
    assert statement.tax(sum(three_lines), POLICY) == 351
    assert sum(statement.tax(line, POLICY) for line in three_lines) == 350


@pytest.mark.rule("BIL-9")
@pytest.mark.parametrize(
    ("kind", "tax_class"),
    [
        ("monthly_fee", "standard"),
        ("fee", "standard"),
        ("device", "standard"),
        ("correction", "standard"),
        ("purchase", "included"),
        ("deposit", "none"),
    ],
)
def test_each_kind_of_line_has_its_class(kind: str, tax_class: str) -> None:
    assert statement.tax_class(kind) == tax_class


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("PNT-6")
@pytest.mark.parametrize(
    ("sums", "points", "total"),
    [
        (Sums(), 0, 0),
        (Sums(standard=2800), 0, 3080),
        (Sums(standard=2800, included=500, untaxed=20000), 0, 23580),
        (Sums(standard=2800, included=500), 3580, 0),
        (Sums(standard=2800, untaxed=-20000), 0, -16920),
        (Sums(standard=-20000), 0, -22000),
    ],
)
def test_a_bill_is_fees_tax_purchases_and_deposits_less_points(sums: Sums, points: int, total: int) -> None:
    assert statement.total(sums, points, POLICY) == total


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("period", "due_on"),
    [
        ("2026-06", date(2026, 7, 31)),
        ("2026-12", date(2027, 1, 31)),
        ("2027-01", date(2027, 2, 28)),
        ("2028-01", date(2028, 2, 29)),
        ("2027-03", date(2027, 4, 30)),
    ],
)
def test_it_is_due_at_the_end_of_the_next_month(period: str, due_on: date) -> None:
    assert statement.due_on(period, POLICY) == due_on


def test_its_number_is_the_contract_s_and_the_month_s() -> None:
    number = statement.billing_number("01234567890123", "2026-06")
    assert (number, len(number)) == ("012345678901232606", statement.NUMBER_DIGITS)


@pytest.mark.rule("MAT-6")
@pytest.mark.parametrize(
    ("method", "purchases", "invoice"),
    [
        ("isp_collection", 500, "separate"),
        ("isp_collection", 0, "line"),
        ("credit_card", 500, "line"),
        ("invoice", 500, "line"),
    ],
)
def test_purchases_come_separately_where_the_provider_collects(
    method: str, purchases: int, invoice: str
) -> None:
    assert statement.invoice(method, purchases) == invoice


@pytest.mark.rule("BIL-1")
@pytest.mark.parametrize(
    ("period", "today", "shown"),
    [
        ("2027-06", date(2027, 6, 30), False),  # running
        ("2027-06", date(2027, 7, 1), True),
        ("2026-07", date(2027, 7, 1), True),  # the twelfth
        ("2026-06", date(2027, 7, 1), False),
        ("2026-06", date(2027, 6, 30), True),
        ("2026-12", date(2027, 1, 1), True),
        ("2028-02", date(2028, 2, 29), False),
        ("2027-02", date(2028, 2, 29), True),
    ],
)
def test_the_last_twelve_closed_months_are_shown(period: str, today: date, shown: bool) -> None:
    assert statement.shown(period, today, POLICY) is shown


@pytest.mark.rule("BIL-1", "BIL-8")
@pytest.mark.parametrize(
    ("now", "shown"),
    [
        ("2027-06-30 23:59:59", False),
        ("2027-07-01 00:59:59", False),
        ("2027-07-01 01:00:00", True),
        ("2028-01-01 00:59:59", True),
    ],
)
def test_a_statement_is_there_from_one_o_clock_on_the_1st(now: str, shown: bool) -> None:
    assert statement.shown("2027-06", statement.shown_on(at(now)), POLICY) is shown

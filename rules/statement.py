"""A bill for a month: its classes of tax, its sums and when it is due (BIL-1, BIL-8, BIL-9, MAT-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from rules import jobs
from rules.calendar import day_of, first_of_month, last_of_month
from rules.figures import Policy

TaxClass = Literal["standard", "included", "none"]
INCLUDED = frozenset({"purchase"})
UNTAXED = frozenset({"deposit"})
THERE_AFTER = timedelta(hours=1)
"""After the month's end."""
NUMBER_DIGITS = 18
"""Of a bill: the contract's part, then year and month."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Whole yen. `standard` bears tax, `included` holds it already, `untaxed` bears none."""

    standard: int = 0
    included: int = 0
    untaxed: int = 0


def tax_class(kind: str) -> TaxClass:
    """By kind of line: purchases are sent with their tax, deposits bear none, all else is ours and taxable."""
    if kind in INCLUDED:
        return "included"
    return "none" if kind in UNTAXED else "standard"


def tax(base: int, policy: Policy) -> int:
    """On the sum of a class, rounded down, also where more was taken back than charged (BIL-9)."""
    return base * policy.statement.tax_percent // 100


def total(sums: Sums, points_used: int, policy: Policy) -> int:
    """What there is to pay, tax included; nothing is due where it is not above zero."""
    return sums.standard + tax(sums.standard, policy) + sums.included + sums.untaxed - points_used


def due_on(period: str, policy: Policy) -> date:
    """The last day for paying the bill of a month (BIL-3)."""
    return last_of_month(jobs.first_day(period), policy.statement.due_after_months)


def settled_by_itself_on(period: str) -> date:
    """When a bill that leaves nothing to pay counts as paid: the day on which it is made."""
    return jobs.following(period)


def billing_number(of_contract: str, period: str) -> str:
    """A bill's number: its contract's part and `yymm`."""
    return f"{of_contract}{number_of_month(period)}"


def month_of(number: str) -> str:
    """The month of a bill with that number, as a period; of what is no such number, a month that never was."""
    return f"20{number[-4:-2]}-{number[-2:]}"


def number_of_month(period: str) -> str:
    """`yymm` of `yyyy-mm`."""
    return f"{period[2:4]}{period[5:7]}"


def invoice(payment_method: str, included: int) -> Literal["line", "separate"]:
    """Purchases come as an invoice of their own where the provider collects for the line (MAT-6)."""
    return "separate" if payment_method == "isp_collection" and included else "line"


def shown_on(now: datetime) -> date:
    """The day as statements count it: one is there from 01:00 on the 1st, when the run that makes it has had its time."""
    return day_of(now - THERE_AFTER)


def shown_since(today: date, policy: Policy) -> str:
    """The oldest month that a customer still sees: of the last twelve that are over (BIL-1)."""
    return jobs.month(first_of_month(today, -policy.statement.shown_months))


def shown(period: str, today: date, policy: Policy) -> bool:
    """Whether a customer sees the statement of that month: closed, and not too old (BIL-1)."""
    return shown_since(today, policy) <= period < jobs.month(today)

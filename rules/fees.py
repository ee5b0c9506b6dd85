"""What a contract costs a month, as facts with dates: from a day on, until another fee of the same part begins (LIN-6)."""

from __future__ import annotations

from datetime import date, timedelta

from rules.calendar import first_of_month
from rules.change import Fee
from rules.facts import Contract, OptionPeriod
from rules.figures import Policy
from rules.policy import of


def at_beginning(contract: Contract) -> list[Fee]:
    """Plan or line type, and support options, of a contract that is in force; by the terms that it was applied for under."""
    terms = of(contract.policy)
    found = [base(contract, terms)]
    for period in contract.options:
        found.append(option(contract.contract_id, period, terms))
        if period.last:
            ended = period.last + timedelta(days=1)
            found.append(Fee(contract_id=contract.contract_id, part="option", first_day=ended))
    return found


def base(contract: Contract, terms: Policy) -> Fee:
    """Months paid ahead bear no monthly fee: it begins after them (RNT-2)."""
    first = contract.in_force_from
    assert first is not None, "it is in force"
    if contract.product == "line":
        return line_type(contract.contract_id, str(contract.line_type), first, terms)
    plan, course = terms.plan(str(contract.plan)), terms.course(str(contract.course))
    if course.months and not course.deposit:
        first = first_of_month(first, course.months)
    return _fee(contract.contract_id, "base", first, plan.plan, plan.monthly_fee)


def line_type(contract_id: str, code: str, first: date, terms: Policy) -> Fee:
    """The fee of a line of that type from `first` on."""
    return _fee(contract_id, "base", first, code, terms.line_type(code).monthly_fee)


def option(contract_id: str, period: OptionPeriod, terms: Policy) -> Fee:
    """The fee of a support option from its first day on (RNT-11)."""
    amount = terms.support_option(period.option).monthly_fee
    return _fee(contract_id, "option", period.first, period.option, amount)


def _fee(contract_id: str, part: str, first: date, item: str, amount: int) -> Fee:
    return Fee(contract_id=contract_id, part=part, first_day=first, item=item, amount=amount)

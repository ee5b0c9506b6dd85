"""What a rental costs at its beginning (RNT-2) and what its end leads to (RNT-4, RNT-7, RNT-10)."""

from __future__ import annotations

from datetime import date

from rules import device_return
from rules.calendar import end_of, months_between
from rules.effects import Effect
from rules.facts import Contract
from rules.figures import Policy
from rules.policy import of


def effects(contract: Contract, last_day: date, policy: Policy) -> list[Effect]:
    """Everything that happens because the contract ends with `last_day`."""
    ends = end_of(last_day)
    found = [Effect(at=ends, what="contract_ends"), *forfeits(contract, last_day)]
    option = contract.option_on(last_day)
    if option:
        found.append(Effect(at=ends, what="option_ends", item=option.option))
    return [*found, Effect(at=device_return.overdue_at(last_day, policy), what="device_return_due")]


def forfeits(contract: Contract, last_day: date) -> list[Effect]:
    """What was paid ahead and is lost (RNT-7): judged by the last day, by the terms the contract was applied for under."""
    if contract.course is None or contract.in_force_from is None:
        return []
    terms = of(contract.policy)
    course = terms.course(contract.course)
    unused = max(0, course.months - months_between(contract.in_force_from, last_day))
    if not unused:
        return []
    if course.deposit:
        return [
            Effect(at=end_of(last_day), what="deposit_forfeited", amount=course.deposit, count=course.months)
        ]
    amount = unused * terms.plan(str(contract.plan)).monthly_fee
    return [Effect(at=end_of(last_day), what="prepaid_months_forfeited", amount=amount, count=unused)]


def paid_ahead(plan: str, course: str, terms: Policy) -> list[tuple[str, int]]:
    """What falls due with the first day (RNT-2): a deposit, or the months of an omatome course; item and yen."""
    found = terms.course(course)
    if found.deposit:
        return [("deposit", found.deposit)]
    return [("prepaid_months", found.months * terms.plan(plan).monthly_fee)] if found.months else []

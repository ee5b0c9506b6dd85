"""What the end of a rental leads to (RNT-4, RNT-7, RNT-10), whether by cancellation or by plan change."""

from __future__ import annotations

from datetime import date

from rules import device_return
from rules.calendar import end_of, months_between
from rules.effects import Effect
from rules.facts import Contract
from rules.policy import Policy


def effects(contract: Contract, last_day: date, policy: Policy) -> list[Effect]:
    """Everything that happens because the contract ends with `last_day`."""
    ends = end_of(last_day)
    found = [Effect(at=ends, what="contract_ends"), *forfeits(contract, last_day, policy)]
    option = contract.option_on(last_day)
    if option:
        found.append(Effect(at=ends, what="option_ends", item=option.option))
    return [*found, Effect(at=device_return.overdue_at(last_day, policy), what="device_return_due")]


def forfeits(contract: Contract, last_day: date, policy: Policy) -> list[Effect]:
    """What was paid ahead and is lost (RNT-7): judged by the last day, the first month counting whole."""
    if contract.course is None or contract.in_force_from is None:
        return []
    course = policy.course(contract.course)
    used = months_between(contract.in_force_from, last_day)
    ends = end_of(last_day)
    if course.deposit:
        kept = used >= policy.depocomi.commitment_months
        return [] if kept else [Effect(at=ends, what="deposit_forfeited", amount=course.deposit)]
    unused = max(0, course.months - used)
    amount = unused * policy.plan(str(contract.plan)).monthly_fee
    return [Effect(at=ends, what="prepaid_months_forfeited", amount=amount, count=unused)] if unused else []

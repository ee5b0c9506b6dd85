"""Plan change: one act that ends the old contract with the month and begins a new one on the 1st (RNT-3 to RNT-7)."""

from __future__ import annotations

from datetime import date
from typing import Any

from rules import plan_change
from rules.calendar import day_of
from rules.effects import Effect
from rules.facts import Procedure
from workflows import application, device_return, payment_method
from workflows.device_return import act, due
from workflows.step import Step

__all__ = ["accept", "act", "due"]


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """The old contract's end, the successor, and the fee on the successor's first statement (RNT-18)."""
    procedure = step.begin("plan_change", effects, body)
    device_return.set_end(step, procedure, plan_change.last_day(step.at))
    successor = application.succeed(step, body, effects)
    payment_method.pass_on(step, successor)
    first: date = successor.contract.in_force_from or day_of(step.at)
    step.charge(successor.contract.contract_id, first, "fee", "plan_change", step.policy.fees.plan_change)
    return procedure

"""Change or removal of a support option, from the 1st of the next month (RNT-11)."""

from __future__ import annotations

from typing import Any

from rules import fees, support_option
from rules.calendar import day_of, first_of_month, last_of_month, midnight
from rules.change import Fee
from rules.effects import Effect
from rules.facts import Procedure
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """Written at once with its dates; the 1st only closes the procedure."""
    contract, today = step.contract, day_of(step.at)
    first = first_of_month(today, 1)
    procedure = step.begin("support_option", effects, body, due_at=midnight(first))
    held = contract.option_on(today)
    if held:
        held.last = last_of_month(today)
    if body["option"]:
        period = support_option.period(body["option"], first, step.policy)
        contract.options.append(period)
        step.costs(fees.option(contract.contract_id, period, step.policy))
    else:
        step.costs(Fee(contract_id=contract.contract_id, part="option", first_day=first))
    contract.option_changed = True
    return procedure


def due(step: Step, procedure: Procedure) -> None:
    """The 1st has come."""
    step.fire(procedure, "month_began")

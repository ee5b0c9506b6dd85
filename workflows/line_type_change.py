"""Changing the type of a line, with everything that hangs on it (LIN-3)."""

from __future__ import annotations

from typing import Any

from rules import fees, policy
from rules.calendar import day_of, first_of_month
from rules.effects import Effect
from rules.facts import Procedure
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """An operator reports when the line works as the new type."""
    procedure = step.begin("line_type_change", effects, body)
    procedure.data = {"line_type": body["line_type"]}
    step.open_task(procedure, "report_opening")
    return procedure


def act(step: Step, procedure: Procedure, action: str) -> None:
    """The line is of the new type from now on; this month is still charged as it began, by whole months (LIN-6)."""
    contract, line_type = step.contract, procedure.data["line_type"]
    step.fire(procedure, "opened")
    contract.line_type = line_type
    terms = policy.of(procedure.policy)
    step.costs(fees.line_type(contract.contract_id, line_type, first_of_month(day_of(step.at), 1), terms))

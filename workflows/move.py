"""Moving a line: it is opened anew at the other address, with everything that hangs on it (LIN-3)."""

from __future__ import annotations

from typing import Any

from rules.effects import Effect
from rules.facts import Procedure
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """The address lies in the store; an operator reports the opening there."""
    procedure = step.begin("move", effects, {})
    step.open_task(procedure, "report_opening")
    return procedure


def act(step: Step, procedure: Procedure, action: str) -> None:
    """The line works at the new address."""
    step.fire(procedure, "opened")
    step.moved = procedure.procedure_id

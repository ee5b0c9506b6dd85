"""Changing the type of a line, with everything that hangs on it (LIN-3)."""

from __future__ import annotations

from typing import Any

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
    """The line is of the new type from now on."""
    step.fire(procedure, "opened")
    step.contract.line_type = procedure.data["line_type"]

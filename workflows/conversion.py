"""Collabo conversion: a number is issued, taken up, and the line switched over (COL-1 to COL-7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rules import conversion
from rules.calendar import day_of
from rules.effects import Effect
from rules.facts import Procedure
from workflows import line
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """A new number makes the earlier one void (COL-2)."""
    earlier = step.contract.pending("conversion")
    if earlier:
        step.fire(earlier, "new_number")
    lapses_at = conversion.lapses_at(step.at, step.policy)
    procedure = step.begin("conversion", effects, body, due_at=lapses_at)
    valid_until = day_of(lapses_at) - timedelta(days=1)
    step.deliver("approval_number", procedure, valid_until=valid_until.isoformat())
    return procedure


def due(step: Step, procedure: Procedure) -> None:
    """The sixteenth day has begun."""
    step.fire(procedure, "validity_over")


def advance(step: Step, procedure: Procedure, event: str) -> None:
    """The other operator took the number up, or the line was switched over; after that nothing leads back."""
    step.fire(procedure, event)
    if event == "switch_over":
        step.contract.ended_at = step.at
        step.contract.in_force_to = day_of(step.at)
        step.fire_contract("convert")
        line.wipe(step)
        step.deliver("deletion_certificate", procedure, deleted_at=step.at.isoformat())

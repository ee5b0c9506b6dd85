"""Lifting a restriction on a written form: asked for, sent, back, checked (MAT-10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rules import policy, unrestriction
from rules.calendar import day_of
from rules.effects import Effect
from rules.facts import Procedure, Task
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """An operator sends the form."""
    procedure = step.begin("unrestriction", effects, body)
    procedure.data = {"passport_id": body["passport_id"]}
    step.open_task(procedure, "send_form")
    return procedure


def act(step: Step, procedure: Procedure | None, task: Task, action: str) -> None:
    """The form was sent, came back, or was checked."""
    assert procedure is not None, "its tasks end with it"
    {"send_form": _sent, "receive_form": _received, "review_form": _reviewed}[task.kind](
        step, procedure, action
    )


def due(step: Step, procedure: Procedure) -> None:
    """The form did not come back in time."""
    step.fire(procedure, "time_over")
    for task in [task for task in step.contract.tasks if task.procedure_id == procedure.procedure_id]:
        step.finish_task(task, "withdrawn")


def _sent(step: Step, procedure: Procedure, action: str) -> None:
    lapses_at = unrestriction.lapses_at(step.at, policy.of(procedure.policy))
    step.fire(procedure, "send_form", lapses_at)
    step.open_task(procedure, "receive_form", lapses_at)
    return_by = day_of(lapses_at) - timedelta(days=1)
    step.deliver(
        "written_form", procedure, procedure_id=procedure.procedure_id, return_by=return_by.isoformat()
    )


def _received(step: Step, procedure: Procedure, action: str) -> None:
    step.fire(procedure, "receive_form")
    step.open_task(procedure, "review_form")


def _reviewed(step: Step, procedure: Procedure, action: str) -> None:
    step.fire(procedure, action)
    if action == "approve":
        step.contract.restricted.remove(procedure.data["passport_id"])
        step.lifted.append(procedure.data["passport_id"])
    else:
        step.deliver("form_turned_down", procedure, procedure_id=procedure.procedure_id)

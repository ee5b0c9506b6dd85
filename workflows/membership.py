"""Joining the members' club: a link is mailed, at once or after a check, and opened in time (PNT-1)."""

from __future__ import annotations

from typing import Any

from rules import membership, policy
from rules.effects import Effect
from rules.facts import Procedure, Task
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """Whoever has signed in gets the link at once; an earlier one is worthless from now on."""
    earlier = step.contract.pending("membership")
    if earlier:
        step.fire(earlier, "asked_again")
        for task in [task for task in step.contract.tasks if task.procedure_id == earlier.procedure_id]:
            step.finish_task(task, "withdrawn")
    procedure = step.begin("membership", effects, body)
    if body["easy"]:
        step.open_task(procedure, "check_membership", membership.checked_by(step.at, step.policy))
    else:
        _send_link(step, procedure, "send_link")
    return procedure


def act(step: Step, procedure: Procedure | None, task: Task, action: str) -> None:
    """An operator has checked an easy entry."""
    assert procedure is not None, "its task ends with it"
    if action == "approve":
        _send_link(step, procedure, "approve")
    else:
        step.fire(procedure, action)


def due(step: Step, procedure: Procedure) -> None:
    """Nobody opened the link in time."""
    step.fire(procedure, "time_over")


def advance(step: Step, procedure: Procedure, event: str) -> None:
    """The link was opened: from this instant on the customer is a member, and gets to know the login (IDN-3)."""
    step.fire(procedure, event)
    step.contract.member_since = step.at
    step.joined = procedure.procedure_id
    step.deliver("login", procedure)


def _send_link(step: Step, procedure: Procedure, event: str) -> None:
    expires_at = membership.expires_at(step.at, policy.of(procedure.policy))
    step.fire(procedure, event, expires_at)
    step.deliver("membership_link", procedure, expires_at=expires_at.isoformat())

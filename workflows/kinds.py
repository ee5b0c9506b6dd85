"""Which file says what a procedure's transitions call for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from rules import conversion as conversion_rule
from rules import membership as membership_rule
from rules import policy
from rules.effects import Effect
from rules.facts import Contract, Procedure, Task
from rules.refusal import Refusal
from rules.tasks import ACTIONS
from workflows import (
    access_key,
    application,
    authentication_key,
    cancellation,
    collection,
    conversion,
    line_type_change,
    membership,
    move,
    payment_method,
    plan_change,
    restriction,
    support_option,
    unrestriction,
)
from workflows.step import Step

ACCEPT: dict[str, Callable[[Step, dict[str, Any], list[Effect]], Procedure]] = {
    "plan_change": plan_change.accept,
    "cancellation": cancellation.accept,
    "support_option": support_option.accept,
    "payment_method": payment_method.accept,
    "conversion": conversion.accept,
    "restriction": restriction.accept,
    "unrestriction": unrestriction.accept,
    "membership": membership.accept,
    "move": move.accept,
    "line_type_change": line_type_change.accept,
}
# What is done at once and leaves no procedure behind.
AT_ONCE: dict[str, Callable[[Step], str]] = {
    "access_key": access_key.reissue,
    "authentication_key": authentication_key.issue,
}
ADVANCE: dict[str, Callable[[Step, Procedure, str], None]] = {
    "conversion": conversion.advance,
    "membership": membership.advance,
}
DUE: dict[str, Callable[[Step, Procedure], None]] = {
    "application": application.due,
    "plan_change": plan_change.due,
    "cancellation": cancellation.due,
    "support_option": support_option.due,
    "conversion": conversion.due,
    "unrestriction": unrestriction.due,
    "collection": collection.due,
    "membership": membership.due,
}


def _opening_reported(step: Step, procedure: Procedure | None, task: Task, action: str) -> None:
    """A line was opened: for the first time, at another address, or as another type."""
    assert procedure is not None, "its task ends with it"
    if procedure.kind == "application":
        application.act(step, procedure, task, action)
    else:
        {"move": move.act, "line_type_change": line_type_change.act}[procedure.kind](step, procedure, action)


ACT: dict[str, Callable[[Step, Procedure | None, Task, str], None]] = {
    "confirm_application": application.act,
    "report_shipped": application.act,
    "report_opening": _opening_reported,
    "send_form": unrestriction.act,
    "receive_form": unrestriction.act,
    "review_form": unrestriction.act,
    "receive_device": plan_change.act,
    "check_membership": membership.act,
}


def cannot_act(contract: Contract, task_id: str, action: str) -> Refusal | None:
    """Why an operator cannot deal with a task in that way: somebody did before, or nobody joins any more (CAL-4)."""
    task = contract.task(task_id)
    if task is None or action not in ACTIONS[task.kind]:
        return Refusal(rule="", reason="task_done")
    joining = (task.kind, action) == ("check_membership", "approve")
    return membership_rule.cannot_join(contract) if joining else None


def cannot_advance(contract: Contract, procedure_id: str, event: str) -> Refusal | None:
    """Why somebody outside cannot take the next step of a procedure (COL-2, PNT-1)."""
    if event == "open_link":
        return membership_rule.cannot_open(contract, procedure_id)
    return conversion_rule.cannot_advance(contract, procedure_id, event)


def next_due(contract: Contract) -> Procedure | None:
    """The procedure whose deadline comes first."""
    dated = [procedure for procedure in contract.procedures if procedure.due_at]
    return min(dated, key=lambda procedure: (procedure.due_at, procedure.procedure_id), default=None)


def due_at(contract: Contract) -> datetime | None:
    """The next deadline."""
    procedure = next_due(contract)
    return procedure.due_at if procedure else None


def wakes(contract: Contract, quiet: bool, now: datetime) -> tuple[datetime | None, str]:
    """When its workflow wakes by itself, and what for: the next deadline, or to come to rest where all is quiet."""
    procedure, rest = next_due(contract), policy.of(contract.policy).workflow.rest_after_days
    if procedure and procedure.due_at:
        kind, due = procedure.kind.replace("_", " "), procedure.due_at
        return due, f"{kind}: {procedure.state} until {due:%Y-%m-%d %H:%M}"
    if quiet and rest:
        return now + timedelta(days=rest), f"at rest after {rest} days, if nothing happens"
    return None, ""


def keep_next_deadline(contract: Contract, now: datetime) -> Step | None:
    """The step of the deadline that came first and is due, dated when it was due; None where nothing is."""
    procedure = next_due(contract)
    if procedure is None or procedure.due_at is None or procedure.due_at > now:
        return None
    step = Step(contract, procedure.due_at, "calendar", key=procedure.procedure_id, digest=procedure.policy)
    DUE[procedure.kind](step, procedure)
    return step


def as_of(contract: Contract, now: datetime) -> Contract:
    """The contract with every deadline kept that has passed by `now`; a copy where that changes anything."""
    return kept_until(contract, now)[0]


def kept_until(contract: Contract, now: datetime) -> tuple[Contract, list[Procedure]]:
    """The same, with the procedures that those deadlines have closed."""
    procedure, closed = next_due(contract), list[Procedure]()
    if procedure is None or procedure.due_at is None or procedure.due_at > now:
        return contract, closed
    contract = contract.model_copy(deep=True)
    while step := keep_next_deadline(contract, now):
        step.change(now, None)
        closed += step.closed
    return contract, closed

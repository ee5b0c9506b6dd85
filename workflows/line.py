"""The end of a line, and everything that hangs on it (LIN-4, COL-3, COL-6): one transition, one transaction."""

from __future__ import annotations

from workflows import suspension
from workflows.step import Step

ENDS_WITH_THE_LINE = {"conversion", "unrestriction", "membership", "move", "line_type_change"}


def end(step: Step, event: str) -> None:
    """The line's last day is over, or an unpaid bill ends it now (LIN-4, BIL-3)."""
    contract = step.contract
    contract.ended_at = step.at
    step.fire_contract(event)
    cancellation = contract.pending("cancellation")
    if cancellation:
        step.fire(cancellation, "nothing_to_return", what="line_cancellation_closed")
    wipe(step)


def wipe(step: Step) -> None:
    """IDs, monthly items and what was asked for about them end at this instant; the store makes it so."""
    for procedure in list(step.contract.procedures):
        if procedure.kind in ENDS_WITH_THE_LINE and procedure not in step.closed:
            step.fire(procedure, "line_ended")
    for task in list(step.contract.tasks):
        step.finish_task(task, "withdrawn")
    step.contract.restricted, step.contract.member_since = [], None
    step.wiped = True
    suspension.review(step)

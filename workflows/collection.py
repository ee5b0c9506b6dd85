"""Collection: from an unpaid bill to its payment, or to the end of the contract (BIL-3, BIL-4, MAT-12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from rules import collection
from rules.beside import OVER
from rules.calendar import day_of
from rules.change import Bill, Credit
from rules.facts import Procedure
from workflows import device_return, line, suspension
from workflows.step import Step


def take(step: Step, command: Bill) -> str:
    """What a command about a bill leads to; the procedure concerned, or "" where there is none."""
    return (_begin if command.event == "unpaid" else _paid)(step, command)


def _begin(step: Step, command: Bill) -> str:
    """The settlement left the bill unpaid. It is dated when the settlement was due, however late that came."""
    bill = next((bill for bill in command.bills if bill.period == command.period), None)
    known = _of(step, command.period)
    if bill is None or known:
        return known.procedure_id if known else ""
    step.at = min(step.at, command.at)
    due_at = collection.next_due("unpaid", bill.due_on, False, step.policy)
    body = {"period": bill.period}
    procedure = step.begin("collection", [], body, due_at, month=_month(bill.period))
    procedure.data = {**body, "due_on": bill.due_on.isoformat(), "left": bill.left, "disclosed": False}
    step.money.collected[bill.period] = step.at
    return procedure.procedure_id


def _paid(step: Step, command: Bill) -> str:
    """Money came in: what it pays for, and whether that ends a collection."""
    shares, over = collection.shares(command.amount, command.period, command.bills)
    kind = "card" if command.by_card else "payment"
    for share in shares:
        _credit(step, command, kind, share.period, share.amount)
        step.note("payment_received", month=_month(share.period), amount=share.amount)
        if share.paid:
            step.money.paid[share.period] = day_of(command.at)
        _lower(step, share)
    if over:
        _credit(step, command, "over", command.period, over)
        step.note("payment_over", amount=over)
    suspension.review(step)
    found = _of(step, command.period)
    return found.procedure_id if found else ""


def _credit(step: Step, command: Bill, kind: str, period: str, amount: int) -> None:
    credit_id = f"{command.command_id}-{len(step.money.credits)}"
    credit = Credit(credit_id=credit_id, period=period, kind=kind, amount=amount, at=command.at)
    step.money.credits.append(credit)


def _lower(step: Step, share: collection.Share) -> None:
    procedure = _of(step, share.period)
    if procedure:
        procedure.data["left"] -= share.amount
        if share.paid:
            step.fire(procedure, "pay", month=_month(share.period))


def _of(step: Step, period: str) -> Procedure | None:
    found = (p for p in step.contract.procedures if p.kind == "collection" and p.data["period"] == period)
    return next(found, None)


def due(step: Step, procedure: Procedure) -> None:
    """The day has come on which purchases are disclosed, or of the next step, or of both."""
    due_on = _due_on(procedure)
    if not procedure.data["disclosed"] and collection.disclosed_at(due_on, step.policy) <= step.at:
        procedure.data["disclosed"] = True
        step.money.disclosed[procedure.data["period"]] = step.at
    next_step = collection.step_at(procedure.state, due_on, step.policy)
    if next_step and next_step <= step.at:
        _go_on(step, procedure)
    else:
        procedure.due_at = next_step


def _go_on(step: Step, procedure: Procedure) -> None:
    event, over = collection.STEPS[procedure.state][0], step.contract.state in OVER
    data = {"month": _month(procedure.data["period"]), "amount": procedure.data["left"]}
    if over and event != "carry_over":
        # There is nothing to suspend or to end any more; what is owed is owed all the same.
        step.fire(procedure, event, what="collection_after_the_end", **data)
    else:
        step.fire(procedure, event, **data)
        _TELL[event](step, procedure)
    state, disclosed = procedure.state, procedure.data["disclosed"]
    procedure.due_at = collection.next_due(state, _due_on(procedure), disclosed, step.policy)


def _carried_over(step: Step, procedure: Procedure) -> None:
    pay_by = _day(step, procedure, "suspension_notice_after_days") - timedelta(days=1)
    _tell(step, procedure, "carried_over_invoice", pay_by=pay_by.isoformat())


def _suspension_announced(step: Step, procedure: Procedure) -> None:
    suspended_on = _day(step, procedure, "suspended_after_days")
    _tell(step, procedure, "suspension_notice", suspended_on=suspended_on.isoformat())


def _suspended(step: Step, procedure: Procedure) -> None:
    suspension.review(step)
    _tell(step, procedure, "suspended", suspended_on=day_of(step.at).isoformat())


def _termination_announced(step: Step, procedure: Procedure) -> None:
    terminated_on = _day(step, procedure, "terminated_after_days")
    _tell(step, procedure, "termination_notice", terminated_on=terminated_on.isoformat())


def _terminated(step: Step, procedure: Procedure) -> None:
    """The contract ends at this instant; it was in force to the day before."""
    _tell(step, procedure, "terminated", terminated_on=day_of(step.at).isoformat())
    last_day = day_of(step.at) - timedelta(days=1)
    if step.contract.product == "rental":
        device_return.terminate(step, last_day)
    else:
        step.contract.in_force_to = last_day
        line.end(step, "terminate")


_TELL: dict[str, Callable[[Step, Procedure], None]] = {
    "carry_over": _carried_over,
    "announce_suspension": _suspension_announced,
    "suspend": _suspended,
    "announce_termination": _termination_announced,
    "terminate": _terminated,
}


def _tell(step: Step, procedure: Procedure, kind: str, **dates: str) -> None:
    """A notice in both languages; the bill's number is put in from the store when it is sent."""
    period, left = procedure.data["period"], procedure.data["left"]
    step.deliver(kind, procedure, period=period, amount=left, **dates)


def _due_on(procedure: Procedure) -> date:
    return date.fromisoformat(procedure.data["due_on"])


def _day(step: Step, procedure: Procedure, figure: str) -> date:
    return collection.day(_due_on(procedure), figure, step.policy)


def _month(period: str) -> str:
    return f"{period}-01"

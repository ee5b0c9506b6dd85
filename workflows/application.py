"""Application: an operator confirms it, the device is shipped or the line opened, the contract is in force (LIN-1, LIN-6)."""

from __future__ import annotations

from typing import Any

from rules import fees, policy, rental, support_option
from rules.calendar import day_of, first_of_month
from rules.change import Begun, Entry, Successor
from rules.effects import Effect
from rules.facts import Contract, Procedure, Task
from rules.waiting import waiting_on
from workflows import patches
from workflows.step import Step


def apply(step: Step, support_option: str | None) -> Procedure:
    """The application has come in; who applied lies in the store."""
    step.contract.applied_at = step.at
    step.pays(step.contract)
    procedure = step.begin("application", [], {})
    procedure.data = {"support_option": support_option}
    step.open_task(procedure, "confirm_application")
    if step.contract.payment_method == "credit_card":
        step.deliver("register_card", procedure, payment_id=step.contract.payment_id)
    return procedure


def act(step: Step, procedure: Procedure | None, task: Task, action: str) -> None:
    """An operator confirmed or turned down, or reported that the device is on its way or the line open."""
    if task.kind == "confirm_application" and procedure:
        (_approved if action == "approve" else _turned_down)(step, procedure)
    elif task.kind == "report_opening" and procedure:
        _opened(step, procedure)
    elif procedure and not procedure.due_at:
        step.fire(procedure, "shipped")
        begin(step, procedure)
    else:
        # A successor is in force from its 1st, whenever its device leaves (RNT-3).
        step.note("device_shipped", procedure)
        if procedure and patches.goes(patches.SHIPPED_WAITS_FOR_ITS_MONTH):
            procedure.waiting_on = "calendar"


def due(step: Step, procedure: Procedure) -> None:
    """The 1st has come on which a successor begins."""
    step.fire(procedure, "month_began")
    begin(step, procedure)


def _approved(step: Step, procedure: Procedure) -> None:
    step.fire(procedure, "approve")
    step.fire_contract("approve")
    if step.contract.product == "line":
        step.open_task(procedure, "report_opening")
        return
    step.deliver("login", procedure)
    step.open_task(procedure, "report_shipped")


def _opened(step: Step, procedure: Procedure) -> None:
    """The notice of opening carries customer ID and access key (IDN-1); a company gets its login, too (IDN-3)."""
    step.fire(procedure, "opened")
    begin(step, procedure)
    step.contract.access_key_issue += 1
    opened_on, issue = day_of(step.at).isoformat(), step.contract.access_key_issue
    step.deliver("opening_notice", procedure, opened_on=opened_on, issue=issue)
    # Commands of earlier releases do not say so: their histories go on as they went.
    if step.corporate:
        step.deliver("login", procedure)


def _turned_down(step: Step, procedure: Procedure) -> None:
    step.fire(procedure, "turn_down")
    step.fire_contract("turn_down")


def begin(step: Step, procedure: Procedure) -> None:
    """In force from this day; what is paid ahead falls due with it."""
    contract, today = step.contract, day_of(step.at)
    contract.in_force_from = contract.in_force_from or today
    contract.started_at = step.at
    step.fire_contract("begin")
    option = procedure.data.get("support_option")
    if option:
        terms = policy.of(contract.policy)
        contract.options.append(support_option.period(option, contract.in_force_from, terms))
    step.costs(*fees.at_beginning(contract))
    if contract.product == "rental":
        _charge_ahead(step, contract)


def _charge_ahead(step: Step, contract: Contract) -> None:
    terms = policy.of(contract.policy)
    for item, amount in rental.paid_ahead(str(contract.plan), str(contract.course), terms):
        kind = "deposit" if item == "deposit" else "fee"
        step.charge(contract.contract_id, day_of(step.at), kind, item, amount)


def succeed(step: Step, body: dict[str, Any], effects: list[Effect]) -> Successor:
    """The contract that a plan change begins on the 1st, with its own device to be shipped (RNT-3, RNT-4, RNT-18)."""
    old = step.contract
    first = first_of_month(day_of(step.at), 1)
    begins = next(effect.at for effect in effects if effect.what == "contract_begins")
    procedure = Procedure(
        procedure_id=f"p-{step.key}-successor",
        kind="application",
        state="preparing",
        waiting_on=waiting_on("application", "preparing"),
        policy=step.digest,
        due_at=begins,
    )
    task = Task(
        task_id=f"t-{step.key}-successor-report-shipped",
        kind="report_shipped",
        procedure_id=procedure.procedure_id,
        since=step.at,
        due_at=begins,
    )
    contract = Contract(
        contract_id=f"k-{step.key}",
        product=old.product,
        state="preparing",
        policy=step.digest,
        applied_at=step.at,
        plan=body["plan"],
        course=body["course"],
        payment_method=old.payment_method,
        payment_id=old.payment_id,
        blocks=list(old.blocks),
        in_force_from=first,
        predecessor_contract_id=old.contract_id,
        procedures=[procedure],
        tasks=[task],
    )
    entry = Entry(
        at=step.at,
        what="application_preparing",
        by=step.by,
        procedure_id=procedure.procedure_id,
        new="preparing",
    )
    step.successor = Successor(contract=contract, begun=Begun(procedure=procedure), entries=[entry])
    step.pays(contract)
    old.successor_contract_id = contract.contract_id
    return step.successor

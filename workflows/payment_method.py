"""Change of payment method: the old one holds until the gateway has taken the card (RNT-14, RNT-15, LIN-5)."""

from __future__ import annotations

from typing import Any

from rules.change import Arrived, Begun, Entry, Successor
from rules.effects import Effect
from rules.facts import Delivery, Procedure
from workflows import patches
from workflows.step import Step

DECLINED = "card_declined"


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """Ask the gateway; its answer decides."""
    procedure = step.begin("payment_method", effects, body)
    procedure.data = {"method": body["payment"]["method"], "payment_id": body["payment"]["payment_id"]}
    if procedure.data["method"] == "credit_card":
        step.deliver("register_card", procedure, payment_id=procedure.data["payment_id"])
    else:
        step.fire(procedure, "method_taken")
        _take(step, procedure)
    return procedure


def _take(step: Step, procedure: Procedure) -> None:
    contract = step.contract
    contract.payment_method, contract.payment_id = procedure.data["method"], procedure.data["payment_id"]
    contract.blocks = [block for block in contract.blocks if block != DECLINED]
    step.pays(contract)


def answered(step: Step, delivery: Delivery, outcome: str) -> None:
    """The gateway took the card or declined it, for this change or for the application; a mail could not be delivered."""
    step.arrived.append(Arrived(delivery_id=delivery.delivery_id, outcome=outcome))
    if delivery.kind != "register_card":
        step.note("notice_undeliverable", kind=delivery.kind)
        return
    contract, taken = step.contract, outcome == "card_taken"
    procedure = contract.procedure(delivery.procedure_id or "")
    if procedure and procedure.kind == "payment_method":
        step.fire(procedure, outcome)
        if taken:
            _take(step, procedure)
        return
    step.note(outcome, procedure)
    if not taken and contract.state != "turned_down" and contract.payment_id == delivery.data["payment_id"]:
        contract.blocks.append(DECLINED)


def pass_on(step: Step, successor: Successor) -> None:
    """What the gateway has not answered yet it answers for the successor, too: under one key, so it is asked for one card.

    The successor is woken to ask: by itself it would not before its 1st.
    """
    cards = [delivery for delivery in step.contract.deliveries if delivery.kind == "register_card"]
    if not cards or not patches.goes(patches.CARD_TAKEN_ALONG):
        return
    for delivery in cards:
        _carry(step, successor, delivery, step.contract.procedure(delivery.procedure_id or ""))
    step.deliver("wake", contract_id=successor.contract.contract_id)


def _carry(step: Step, successor: Successor, delivery: Delivery, procedure: Procedure | None) -> None:
    contract, changed = successor.contract, None
    if procedure:
        changed = f"{procedure.procedure_id}-successor"
        copied = procedure.model_copy(update={"procedure_id": changed}, deep=True)
        contract.procedures.append(copied)
        successor.carried.append(Begun(procedure=copied, body={"payment": procedure.data}))
        successor.entries.append(
            Entry(
                at=step.at,
                what="payment_method_accepted",
                by=step.by,
                procedure_id=changed,
                new=procedure.state,
            )
        )
    own = {
        "delivery_id": f"{delivery.delivery_id}-successor",
        "contract_id": contract.contract_id,
        "procedure_id": changed,
        "data": {"key": delivery.delivery_id} | delivery.data,
    }
    contract.deliveries.append(delivery.model_copy(update=own))

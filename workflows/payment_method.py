"""Change of payment method: the old one holds until the gateway has taken the card (RNT-14, RNT-15, LIN-5)."""

from __future__ import annotations

from typing import Any

from rules.change import Arrived
from rules.effects import Effect
from rules.facts import Delivery, Procedure
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

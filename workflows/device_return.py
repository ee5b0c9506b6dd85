"""The end of a rental and the device's way back (RNT-4, RNT-7, RNT-10), the same after a plan change and a cancellation."""

from __future__ import annotations

from datetime import date, timedelta

from rules import device_return, policy, rental
from rules.calendar import day_of, end_of
from rules.facts import Procedure, Task
from workflows import patches, suspension
from workflows.step import Step


def set_end(step: Step, procedure: Procedure, last_day: date) -> None:
    """The contract's last day is decided: written at once, with all that ends with it."""
    procedure.due_at = end_of(last_day)
    step.fire_contract("set_end")
    _end_with(step, last_day)


def _end_with(step: Step, last_day: date) -> None:
    contract = step.contract
    contract.in_force_to = last_day
    for option in contract.options:
        option.last = min(option.last or last_day, last_day)
    contract.options = [option for option in contract.options if option.first <= last_day]
    pending = contract.pending("support_option")
    if pending and pending.due_at and pending.due_at >= end_of(last_day):
        step.fire(pending, "contract_ends_first")


def due(step: Step, procedure: Procedure) -> None:
    """The contract has ended, the device is overdue, or it is charged: whichever instant has come."""
    {"accepted": _ended, "awaiting_device": _overdue, "device_overdue": _charged}[procedure.state](
        step, procedure
    )


def terminate(step: Step, last_day: date) -> None:
    """The contract ends now, because of an unpaid bill (BIL-3); what follows is as after a cancellation."""
    contract = step.contract
    procedure = contract.pending("plan_change") or contract.pending("cancellation")
    if procedure is None:
        effects = rental.effects(contract, last_day, step.policy)
        procedure = step.begin("cancellation", effects, {}, what="cancellation_for_unpaid_bill")
    _end_with(step, last_day)
    _ended(step, procedure, "terminate")


def _ended(step: Step, procedure: Procedure, event: str = "end") -> None:
    contract = step.contract
    contract.ended_at = step.at
    step.fire_contract(event)
    suspension.review(step)
    _return_deposit(step)
    # The step may be an older bill's, with other figures.
    step.fire(
        procedure, "contract_ended", device_return.overdue_at(_last_day(step), policy.of(procedure.policy))
    )
    step.open_task(procedure, "receive_device", procedure.due_at)
    if contract.successor_contract_id:
        step.deliver("wake", procedure, contract_id=contract.successor_contract_id)


def _return_deposit(step: Step) -> None:
    """A deposit comes back on the last statement; what is forfeited instead is told there, and costs nothing more (RNT-7)."""
    contract, last = step.contract, _last_day(step)
    forfeited = rental.forfeits(contract, last)
    for effect in forfeited:
        kind = "deposit" if effect.what == "deposit_forfeited" else "fee"
        step.charge(contract.contract_id, last, kind, effect.what, 0)
    deposit = policy.of(contract.policy).course(str(contract.course)).deposit
    if deposit and not forfeited:
        step.charge(contract.contract_id, last, "deposit", "deposit_returned", -deposit)


def _overdue(step: Step, procedure: Procedure) -> None:
    charged_at = device_return.charged_at(_last_day(step), step.policy)
    step.fire(procedure, "return_overdue", charged_at)
    charge_on, amount = day_of(charged_at).isoformat(), step.policy.fees.device
    step.deliver("return_reminder", procedure, due_on=_due_on(step), charge_on=charge_on, amount=amount)


def _charged(step: Step, procedure: Procedure) -> None:
    amount = step.policy.fees.device
    step.fire(procedure, "grace_over", amount=amount)
    procedure.data["charged"] = amount
    step.charge(step.contract.contract_id, day_of(step.at), "device", "device", amount)
    charged_on = day_of(step.at).isoformat()
    step.deliver("device_charge", procedure, due_on=_due_on(step), charged_on=charged_on, amount=amount)


def act(step: Step, procedure: Procedure | None, task: Task, action: str) -> None:
    """The device came back; a charge for it is taken back on the statement of this month."""
    if procedure is None:
        return
    charged = procedure.data.get("charged")
    step.fire(procedure, "device_received")
    if charged:
        step.charge(step.contract.contract_id, day_of(step.at), "correction", "device", -charged)
    # Whatever came back was shipped, though nobody has said so.
    if step.contract.tasks and patches.goes(patches.WITHDRAWN_WITH_DEVICE):
        for left in list(step.contract.tasks):
            step.finish_task(left, "withdrawn")


def _last_day(step: Step) -> date:
    last = step.contract.in_force_to
    assert last is not None, "an end that has come was decided before"
    return last


def _due_on(step: Step) -> str:
    return (_last_day(step) + timedelta(days=step.policy.device_return.due_after_days)).isoformat()

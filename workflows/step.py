"""One step of a contract: machine events sent, and everything they call for, gathered into one change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from machines import step as machine_step
from machines.application import ApplicationMachine
from machines.cancellation import CancellationMachine
from machines.collection import CollectionMachine
from machines.contract import ContractMachine
from machines.conversion import ConversionMachine
from machines.line_type_change import LineTypeChangeMachine
from machines.membership import MembershipMachine
from machines.move import MoveMachine
from machines.payment_method import PaymentMethodMachine
from machines.plan_change import PlanChangeMachine
from machines.restriction import RestrictionMachine
from machines.support_option import SupportOptionMachine
from machines.unrestriction import UnrestrictionMachine
from rules import policy
from rules.change import Arrived, Begun, Change, Charge, Done, Entry, Fee, Money, Paying, Successor
from rules.effects import Effect
from rules.facts import Contract, Delivery, Procedure, Task
from rules.waiting import waiting_on

MACHINES: dict[str, machine_step.Machine] = {
    "application": ApplicationMachine,
    "plan_change": PlanChangeMachine,
    "cancellation": CancellationMachine,
    "support_option": SupportOptionMachine,
    "payment_method": PaymentMethodMachine,
    "restriction": RestrictionMachine,
    "unrestriction": UnrestrictionMachine,
    "conversion": ConversionMachine,
    "membership": MembershipMachine,
    "move": MoveMachine,
    "line_type_change": LineTypeChangeMachine,
    "collection": CollectionMachine,
}
M = TypeVar("M", bound=BaseModel)


class Impossible(Exception):
    """A machine does not allow the event: a fault of ours, never a customer's."""


class Step:
    """Invariant: a state changes here and by a machine event only. `at` is when it happened, not when it is written."""

    def __init__(self, contract: Contract, at: datetime, by: str, key: str, digest: str = "") -> None:
        self.contract, self.at, self.by, self.key = contract, at, by, key
        self.digest = digest or contract.policy
        self.policy = policy.of(self.digest)
        self.entries: list[Entry] = []
        self.begun: list[Begun] = []
        self.closed: list[Procedure] = []
        self.done: list[Done] = []
        self.charges: list[Charge] = []
        self.fees: list[Fee] = []
        self.paying: list[Paying] = []
        self.deliveries: list[Delivery] = []
        self.arrived: list[Arrived] = []
        self.restricted: list[str] = []
        self.lifted: list[str] = []
        self.moved: str | None = None
        self.joined: str | None = None
        self.wiped = False
        self.corporate = False
        self.successor: Successor | None = None
        self.money = Money()

    def begin(
        self,
        kind: str,
        effects: list[Effect],
        body: dict[str, Any],
        due_at: datetime | None = None,
        what: str = "",
        **data: Any,
    ) -> Procedure:
        """Open a procedure in its machine's first state. `what`: as for `fire`."""
        state = machine_step.states(MACHINES[kind])[0]
        procedure = Procedure(
            procedure_id=f"p-{self.key}",
            kind=kind,
            state=state,
            waiting_on=waiting_on(kind, state),
            policy=self.digest,
            due_at=due_at,
        )
        self.contract.procedures.append(procedure)
        self.begun.append(Begun(procedure=procedure, effects=effects, body=body))
        self.note(what or f"{kind}_accepted", procedure, new=state, **data)
        return procedure

    def fire(
        self, procedure: Procedure, event: str, due_at: datetime | None = None, what: str = "", **data: Any
    ) -> None:
        """Send `event` to the procedure's machine; close the procedure where that was its last state.

        `what` is the timeline's word for it where kind and new state do not say enough.
        """
        machine = MACHINES[procedure.kind]
        old, new = procedure.state, machine_step.after(machine, procedure.state, event)
        if new is None:
            raise Impossible(f"{procedure.kind} in {old}: {event}")
        procedure.state, procedure.due_at = new, due_at
        procedure.waiting_on = waiting_on(procedure.kind, new)
        self.note(what or f"{procedure.kind}_{new}", procedure, event=event, old=old, new=new, **data)
        if machine_step.final(machine, new):
            self.closed.append(procedure)

    def fire_contract(self, event: str, what: str = "") -> None:
        """Send `event` to the contract's own machine. `what`: as for `fire`."""
        old, new = self.contract.state, machine_step.after(ContractMachine, self.contract.state, event)
        if new is None:
            raise Impossible(f"contract in {old}: {event}")
        self.contract.state = new
        self.entries.append(
            Entry(at=self.at, what=what or f"contract_{new}", by=self.by, event=event, old=old, new=new)
        )

    def note(
        self,
        what: str,
        procedure: Procedure | None = None,
        event: str | None = None,
        old: str | None = None,
        new: str | None = None,
        **data: Any,
    ) -> None:
        """A line for the timeline."""
        procedure_id = procedure.procedure_id if procedure else None
        self.entries.append(
            Entry(
                at=self.at,
                what=what,
                by=self.by,
                procedure_id=procedure_id,
                event=event,
                old=old,
                new=new,
                data=data,
            )
        )

    def open_task(self, procedure: Procedure, kind: str, due_at: datetime | None = None) -> None:
        """Something that now waits for an operator."""
        task_id = f"t-{procedure.procedure_id[2:]}-{kind.replace('_', '-')}"
        self.contract.tasks.append(
            Task(
                task_id=task_id, kind=kind, procedure_id=procedure.procedure_id, since=self.at, due_at=due_at
            )
        )

    def finish_task(self, task: Task, action: str) -> None:
        """Somebody dealt with it."""
        self.contract.tasks.remove(task)
        self.done.append(Done(task_id=task.task_id, action=action, by=self.by, at=self.at))

    def deliver(self, kind: str, procedure: Procedure | None = None, **data: Any) -> None:
        """Something must reach the outside. Its key is derived, so that doing it twice is doing it once."""
        delivery = Delivery(
            delivery_id=f"d-{self.contract.contract_id[2:]}-{self.contract.number + 1}-{kind}",
            contract_id=self.contract.contract_id,
            kind=kind,
            at=self.at,
            procedure_id=procedure.procedure_id if procedure else None,
            data=data,
        )
        self.contract.deliveries.append(delivery)
        self.deliveries.append(delivery)

    def charge(self, contract_id: str, on: date, kind: str, item: str, amount: int) -> None:
        """A one-off amount for the statement of the month of `on`; named by the step, as a successor counts its own."""
        charge_id = f"c-{self.contract.contract_id[2:]}-{self.contract.number + 1}-{len(self.charges)}"
        self.charges.append(
            Charge(charge_id=charge_id, contract_id=contract_id, on=on, kind=kind, item=item, amount=amount)
        )

    def costs(self, *fees: Fee) -> None:
        """Monthly fees from days on; each ends what was to be paid for the same part from that day on."""
        self.fees += fees

    def pays(self, contract: Contract) -> None:
        """How the contract is paid from now on."""
        self.paying.append(
            Paying(
                contract_id=contract.contract_id,
                from_at=self.at,
                method=contract.payment_method,
                payment_id=contract.payment_id,
            )
        )

    def change(
        self, recorded_at: datetime, command_id: str | None, not_after: datetime | None = None
    ) -> Change:
        """What is to be written; the contract's number goes up by one."""
        self.contract.number += 1
        self.contract.procedures = [p for p in self.contract.procedures if p not in self.closed]
        return Change(
            contract=_copied(self.contract),
            recorded_at=recorded_at,
            command_id=command_id,
            not_after=not_after,
            entries=self.entries,
            begun=[_copied(begun) for begun in self.begun],
            closed=self.closed,
            done=self.done,
            charges=self.charges,
            fees=self.fees,
            paying=self.paying,
            deliveries=self.deliveries,
            arrived=self.arrived,
            restricted=self.restricted,
            lifted=self.lifted,
            moved=self.moved,
            joined=self.joined,
            wiped=self.wiped,
            successor=self.successor,
            money=None if self.money == Money() else self.money,
        )


def _copied(model: M) -> M:
    """All of it, for a sixth of what `model_copy(deep=True)` costs."""
    return model.model_validate(model.model_dump())

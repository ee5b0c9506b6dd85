"""Writing what a contract's workflow decided: state, effects, timeline and tasks in one transaction, once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import NoResultFound

from rules.change import Begun, Change, Charge, Done, Entry
from rules.facts import Contract, Delivery, Task
from store import bills, contracts, deliveries, fees, lines, members, people
from store.tables import ChargeRow, ContractRow, DeliveryRow, EntryRow, ProcedureRow, TaskRow, TransitionRow
from store.write import insert, set_values, table, upsert

_rows = table(ContractRow)
_COLUMNS = tuple(name for name in _rows.columns.keys() if name in Contract.model_fields)  # noqa: SIM118
_OWNER = select(_rows.c.account_id, _rows.c.party_id).where(_rows.c.contract_id == bindparam("contract_id"))


class Ahead(Exception):
    """The store holds transitions that the changes do not come from: `stored` is how the contract stands."""

    def __init__(self, stored: Contract) -> None:
        super().__init__(stored.contract_id)
        self.stored = stored


def record(connection: Connection, changes: list[Change]) -> list[Change]:
    """Write each change that is not written yet, and return those. Raises Ahead, and then nothing may be written."""
    known = [change for change in changes if not _claim(connection, change)]
    if known:
        stored = contracts.snapshot(connection, known[-1].contract.contract_id)
        if stored != known[-1].contract:
            raise Ahead(stored)
    new = [change for change in changes if change not in known]
    for change in new:
        _write(connection, change)
    return new


def as_stored(connection: Connection, contract: Contract) -> Contract:
    """How the contract stands; one that is not there, as it was before anybody applied for it."""
    stored = contracts.owned(connection, contract.contract_id, None)
    nothing: dict[str, Any] = {"number": 0, "procedures": [], "tasks": [], "deliveries": [], "answers": {}}
    return stored or contract.model_copy(update=nothing)


def _claim(connection: Connection, change: Change) -> bool:
    """True where this transition is new."""
    row = {
        "contract_id": change.contract.contract_id,
        "number": change.contract.number,
        "command_id": change.command_id,
        "recorded_at": change.recorded_at,
    }
    return upsert(connection, TransitionRow, [row]) > 0


def _write(connection: Connection, change: Change) -> None:
    contract = change.contract
    columns = facts(contract)
    personal = people.place(connection, change.command_id, contract, columns) if change.command_id else {}
    if not set_values(connection, ContractRow, [columns]):
        raise NoResultFound(contract.contract_id)
    begun = [_procedure(contract, one, change.entries) for one in change.begun]
    entries = [_entry(contract, entry, change) for entry in change.entries]
    tasks = [_task(contract, task) for task in contract.tasks]
    sent = list(change.deliveries)
    if following := change.successor:
        successor = following.contract
        _insert_successor(connection, contract, successor)
        begun += [
            _procedure(successor, one, following.entries) for one in (following.begun, *following.carried)
        ]
        entries += [_entry(successor, entry, change) for entry in following.entries]
        tasks += [_task(successor, task) for task in successor.tasks]
        sent += successor.deliveries
    if "address" in personal:
        # Where a line is to move to; it counts from the opening there on.
        begun[0]["body"] = {"address": personal["address"]}
    insert(connection, ProcedureRow, begun)
    set_values(connection, ProcedureRow, _moved(change))
    if tasks:
        upsert(connection, TaskRow, tasks)
    insert(connection, EntryRow, entries)
    done = [_done(one) for one in change.done]
    set_values(connection, TaskRow, done)
    insert(connection, ChargeRow, [_charge(charge) for charge in change.charges])
    fees.record(connection, change)
    insert(connection, DeliveryRow, [_delivery(delivery) for delivery in sent])
    if change.restricted or change.lifted or change.moved or change.wiped:
        lines.record(connection, change)
    members.record(connection, change)
    if change.money:
        bills.record(connection, change, change.money)
    for arrived in change.arrived:
        deliveries.settle(connection, arrived.delivery_id, arrived.outcome)


def facts(contract: Contract) -> dict[str, Any]:
    """The columns of a contract's row that its snapshot says."""
    due = min((p.due_at for p in contract.procedures if p.due_at), default=None)
    columns = {name: getattr(contract, name) for name in _COLUMNS}
    return {**columns, "due_at": due, "snapshot": contract.model_dump(mode="json", exclude_defaults=True)}


def _insert_successor(connection: Connection, old: Contract, new: Contract) -> None:
    owner = connection.execute(_OWNER, {"contract_id": old.contract_id}).one()
    row = {**facts(new), "account_id": owner.account_id, "party_id": owner.party_id}
    insert(connection, ContractRow, [row])


def _moved(change: Change) -> list[dict[str, Any]]:
    """Procedures that were open before; what began with this change is written as it stands already."""
    begun = {one.procedure.procedure_id for one in change.begun}
    closed = {procedure.procedure_id for procedure in change.closed}
    return [
        {
            "procedure_id": procedure.procedure_id,
            "state": procedure.state,
            "waiting_on": procedure.waiting_on,
            "due_at": procedure.due_at,
            "closed": procedure.procedure_id in closed,
        }
        for procedure in (*change.contract.procedures, *change.closed)
        if procedure.procedure_id not in begun - closed
    ]


def _procedure(contract: Contract, begun: Begun, entries: list[Entry]) -> dict[str, Any]:
    # The snapshot's, as of this very change: the workflow may have gone on since.
    procedure = contract.procedure(begun.procedure.procedure_id) or begun.procedure
    columns = procedure.model_dump(include={"procedure_id", "kind", "state", "waiting_on", "due_at"})
    effects = [effect.model_dump(mode="json", exclude_none=True) for effect in begun.effects]
    return {
        **columns,
        "contract_id": contract.contract_id,
        "closed": False,
        "began_at": entries[0].at,
        "effects": effects,
        "body": begun.body,
    }


def _entry(contract: Contract, entry: Entry, change: Change) -> dict[str, Any]:
    return entry.model_dump() | {"contract_id": contract.contract_id, "recorded_at": change.recorded_at}


def _task(contract: Contract, task: Task) -> dict[str, Any]:
    return task.model_dump() | {"contract_id": contract.contract_id}


def _done(done: Done) -> dict[str, Any]:
    return {"task_id": done.task_id, "done_at": done.at, "done_by": done.by, "action": done.action}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return delivery.model_dump(exclude={"data"}) | {"data": delivery.data, "tries": 0}


def _charge(charge: Charge) -> dict[str, Any]:
    return charge.model_dump(exclude={"on"}) | {"on_day": charge.on}

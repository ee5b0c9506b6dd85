"""Writing what a contract's workflow decided: state, effects, timeline and tasks in one transaction, once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import NoResultFound

from rules.change import Begun, Change, Charge, Entry
from rules.facts import Contract, Delivery, Procedure, Task
from store import contracts, deliveries, people
from store.tables import ChargeRow, ContractRow, DeliveryRow, EntryRow, ProcedureRow, TaskRow, TransitionRow
from store.write import table, upsert


class Ahead(Exception):
    """The store holds transitions that the changes do not come from: `stored` is how the contract stands."""

    def __init__(self, stored: Contract) -> None:
        super().__init__(stored.contract_id)
        self.stored = stored


def record(connection: Connection, changes: list[Change]) -> None:
    """Write each change that is not written yet. Raises Ahead, and then nothing may be written."""
    known = [change for change in changes if not _claim(connection, change)]
    if known:
        stored = contracts.snapshot(connection, known[-1].contract.contract_id)
        if stored != known[-1].contract:
            raise Ahead(stored)
    for change in changes:
        if change not in known:
            _write(connection, change)


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
    if change.command_id:
        people.place(connection, change.command_id, contract, facts(contract))
    _update_contract(connection, contract)
    if change.successor:
        following = change.successor
        _insert_successor(connection, contract, following.contract)
        _begin(connection, following.contract, [following.begun], following.entries, change)
    _begin(connection, contract, change.begun, change.entries, change)
    _move(connection, [*contract.procedures, *change.closed], {p.procedure_id for p in change.closed})
    for done in change.done:
        connection.execute(
            update(table(TaskRow))
            .where(table(TaskRow).c.task_id == done.task_id)
            .values(done_at=done.at, done_by=done.by, action=done.action)
        )
    if change.charges:
        connection.execute(table(ChargeRow).insert(), [_charge(charge) for charge in change.charges])
    if change.deliveries:
        connection.execute(
            table(DeliveryRow).insert(), [_delivery(delivery) for delivery in change.deliveries]
        )
    for arrived in change.arrived:
        deliveries.settle(connection, arrived.delivery_id, arrived.outcome)


def facts(contract: Contract) -> dict[str, Any]:
    """The columns of a contract's row that its snapshot says."""
    due = min((p.due_at for p in contract.procedures if p.due_at), default=None)
    names = set(table(ContractRow).columns.keys()) & set(Contract.model_fields)
    columns = contract.model_dump(include=names)
    return {**columns, "due_at": due, "snapshot": contract.model_dump(mode="json", exclude_defaults=True)}


def _update_contract(connection: Connection, contract: Contract) -> None:
    rows = table(ContractRow)
    mine = update(rows).where(rows.c.contract_id == contract.contract_id)
    if not connection.execute(mine.values(**facts(contract))).rowcount:
        raise NoResultFound(contract.contract_id)


def _insert_successor(connection: Connection, old: Contract, new: Contract) -> None:
    rows = table(ContractRow)
    owner = connection.execute(
        select(rows.c.account_id, rows.c.party_id).where(rows.c.contract_id == old.contract_id)
    ).one()
    connection.execute(
        rows.insert().values(account_id=owner.account_id, party_id=owner.party_id, **facts(new))
    )


def _begin(
    connection: Connection, contract: Contract, begun: list[Begun], entries: list[Entry], change: Change
) -> None:
    if begun:
        rows = [_procedure(contract, one) | {"began_at": entries[0].at} for one in begun]
        connection.execute(table(ProcedureRow).insert(), rows)
    if contract.tasks:
        upsert(connection, TaskRow, [_task(contract, task) for task in contract.tasks])
    if entries:
        rows = [
            entry.model_dump() | {"contract_id": contract.contract_id, "recorded_at": change.recorded_at}
            for entry in entries
        ]
        connection.execute(table(EntryRow).insert(), rows)


def _move(connection: Connection, procedures: list[Procedure], closed: set[str]) -> None:
    rows = table(ProcedureRow)
    for procedure in procedures:
        values = procedure.model_dump(include={"state", "waiting_on", "due_at"})
        done = procedure.procedure_id in closed
        connection.execute(
            update(rows).where(rows.c.procedure_id == procedure.procedure_id).values(**values, closed=done)
        )


def _procedure(contract: Contract, begun: Begun) -> dict[str, Any]:
    procedure = begun.procedure
    columns = procedure.model_dump(include={"procedure_id", "kind", "state", "waiting_on", "due_at"})
    effects = [effect.model_dump(mode="json", exclude_none=True) for effect in begun.effects]
    return {
        **columns,
        "contract_id": contract.contract_id,
        "closed": False,
        "effects": effects,
        "body": begun.body,
    }


def _task(contract: Contract, task: Task) -> dict[str, Any]:
    return task.model_dump() | {"contract_id": contract.contract_id}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return delivery.model_dump(exclude={"data"}) | {"data": delivery.data, "tries": 0}


def _charge(charge: Charge) -> dict[str, Any]:
    return charge.model_dump(exclude={"on"}) | {"on_day": charge.on}

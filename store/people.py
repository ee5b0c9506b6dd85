"""Personal data: put down before a command is sent, put in its place by the transition that accepts it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from rules.facts import Contract
from store.tables import AccountRow, ContractRow, IntakeRow, PartyRow, PaymentRow, TaskRow
from store.write import table, upsert

KEPT = timedelta(days=1)


def take_in(connection: Connection, command_id: str, payload: dict[str, Any], now: datetime) -> None:
    """Put down what a command carries of personal data. Repeating it changes nothing."""
    upsert(connection, IntakeRow, [{"command_id": command_id, "received_at": now, "payload": payload}])


def give_back(connection: Connection, command_id: str) -> None:
    """The command was refused: nothing of it stays."""
    rows = table(IntakeRow)
    connection.execute(delete(rows).where(rows.c.command_id == command_id))


def sweep(connection: Connection, now: datetime) -> int:
    """Forget what came with commands that never arrived. Returns how many."""
    rows = table(IntakeRow)
    return int(connection.execute(delete(rows).where(rows.c.received_at < now - KEPT)).rowcount)


def place(connection: Connection, command_id: str, contract: Contract, facts: dict[str, Any]) -> None:
    """Move what came with the command to where it belongs."""
    rows = table(IntakeRow)
    payload = connection.execute(
        select(rows.c.payload).where(rows.c.command_id == command_id)
    ).scalar_one_or_none()
    if payload is None:
        return
    if "party" in payload:
        _apply(connection, payload, facts)
    if "payment" in payload:
        upsert(connection, PaymentRow, [{"contract_id": contract.contract_id, **payload["payment"]}])
    if "note" in payload:
        tasks = table(TaskRow)
        connection.execute(
            update(tasks).where(tasks.c.task_id == payload["task_id"]).values(note=payload["note"])
        )
    give_back(connection, command_id)


def _apply(connection: Connection, payload: dict[str, Any], facts: dict[str, Any]) -> None:
    """A first application brings an account along; a further one belongs to the account that sent it."""
    if "account" in payload:
        upsert(connection, AccountRow, [payload["account"] | {"created_at": facts["applied_at"]}])
    upsert(connection, PartyRow, [payload["party"]])
    owner = {"account_id": payload["account_id"], "party_id": payload["party"]["party_id"]}
    upsert(connection, ContractRow, [facts | owner])

"""Commands on their way with their personal data: put down before they are sent, put in place by what accepts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from rules.facts import Contract
from store import accounts, members
from store.tables import (
    AccountRow,
    ApprovalNumberRow,
    ContractRow,
    IntakeRow,
    LineAccessRow,
    PartyRow,
    PaymentRow,
    TaskRow,
    TransitionRow,
)
from store.write import set_values, table, upsert

KEPT = timedelta(days=1)
DOUBTFUL_AFTER = timedelta(seconds=30)
_rows, _done = table(IntakeRow), table(TransitionRow)
_PAYLOAD = select(_rows.c.payload).where(_rows.c.command_id == bindparam("command_id"))


def take_in(connection: Connection, command_id: str, payload: dict[str, Any]) -> None:
    """Put down a command, with what it carries of personal data. Repeating it changes nothing."""
    row = {"command_id": command_id, "received_at": datetime.now(UTC), "payload": payload}
    upsert(connection, IntakeRow, [row], change=("received_at", "payload"))


def give_back(connection: Connection, command_id: str) -> None:
    """The command was answered: nothing of it stays here."""
    connection.execute(delete(_rows).where(_rows.c.command_id == command_id))


def unanswered(connection: Connection) -> list[str]:
    """Commands that are written down, but that nobody has answered for so long that nobody will."""
    old = _rows.c.received_at < datetime.now(UTC) - DOUBTFUL_AFTER
    found = select(_rows.c.command_id).join(_done, _done.c.command_id == _rows.c.command_id)
    return list(connection.execute(found.where(old).order_by(_rows.c.received_at).limit(1000)).scalars())


def sweep(connection: Connection) -> int:
    """Forget what came with commands that never arrived. Returns how many."""
    old = _rows.c.received_at < datetime.now(UTC) - KEPT
    return int(connection.execute(delete(_rows).where(old)).rowcount)


def place(
    connection: Connection, command_id: str, contract: Contract, facts: dict[str, Any]
) -> dict[str, Any]:
    """Move what came with the command to where it belongs, and return it."""
    payload: dict[str, Any] | None = connection.execute(
        _PAYLOAD, {"command_id": command_id}
    ).scalar_one_or_none()
    if not payload:
        return {}
    if "party" in payload:
        _apply(connection, payload, facts)
    if "payment" in payload:
        upsert(connection, PaymentRow, [{"contract_id": contract.contract_id, **payload["payment"]}])
    if "number" in payload:
        number = payload["number"] | {"procedure_id": f"p-{command_id}"}
        upsert(connection, ApprovalNumberRow, [number])
    if "membership" in payload:
        members.expect(connection, contract.contract_id, f"p-{command_id}", payload["membership"])
    if "login" in payload:
        accounts.take_login(connection, contract.contract_id, **payload["login"])
    if "note" in payload:
        set_values(connection, TaskRow, [{"task_id": payload["task_id"], "note": payload["note"]}])
    # The row itself stays until the command is answered: an engine that crashes now may know nothing of it.
    set_values(connection, IntakeRow, [{"command_id": command_id, "payload": {}}])
    return payload


def _apply(connection: Connection, payload: dict[str, Any], facts: dict[str, Any]) -> None:
    """A first application brings an account along; a further one belongs to the account that sent it."""
    if "account" in payload:
        upsert(connection, AccountRow, [payload["account"] | {"created_at": facts["applied_at"]}])
    upsert(connection, PartyRow, [payload["party"]])
    owner = {"account_id": payload["account_id"], "party_id": payload["party"]["party_id"]}
    upsert(connection, ContractRow, [facts | owner])
    if "customer_id" in payload:
        access = {"contract_id": facts["contract_id"], "customer_id": payload["customer_id"]}
        upsert(connection, LineAccessRow, [access])

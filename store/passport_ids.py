"""Passport IDs of a line. Every change locks the line's row, so that a conversion and a change never pass each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from rules import passport_id as rule
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal
from store import contracts, lines
from store.purchases import Gone
from store.tables import ContractRow, DeletionRow, PassportIdRow, PurchaseRow
from store.timeline import note
from store.write import table

_rows, _contracts, _purchases = table(PassportIdRow), table(ContractRow), table(PurchaseRow)
_deletions = table(DeletionRow)


def of_line(connection: Connection, contract_id: str) -> list[RowMapping]:
    """The living IDs of a line, oldest first."""
    found = select(_rows).where(_rows.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_rows.c.created_at, _rows.c.passport_id)).mappings())


def find(connection: Connection, contract_id: str, passport_id: str) -> RowMapping | None:
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.passport_id == passport_id)
    return connection.execute(select(_rows).where(mine)).mappings().first()


def by_name(connection: Connection, name: str) -> RowMapping | None:
    return connection.execute(select(_rows).where(_rows.c.name == name)).mappings().first()


def add(connection: Connection, values: dict[str, Any], now: datetime, policy: Policy) -> Refusal | None:
    """Write a new ID, or say why not. Repeating it changes nothing. Raises Gone where it was deleted since (COL-7)."""
    contract = contracts.lock_line(connection, values["contract_id"])
    if find(connection, contract.contract_id, values["passport_id"]):
        return None
    if _was_deleted(connection, values["passport_id"]):
        raise Gone
    living = select(func.count()).where(_rows.c.contract_id == contract.contract_id)
    no = (
        rule.not_here(contract, now)
        or rule.cap_too_high(contract, values["monthly_cap"])
        or rule.too_many(connection.execute(living).scalar_one(), policy)
    )
    if no:
        return no
    no = _unless_taken(connection, _rows.insert().values(**values, created_at=now))
    if no is None:
        note(connection, contract.contract_id, "passport_id_added", now)
    return no


def _was_deleted(connection: Connection, passport_id: str) -> bool:
    found = select(_deletions.c.contract_id).where(_deletions.c.passport_id == passport_id)
    return connection.execute(found).first() is not None


def change(
    connection: Connection, contract_id: str, passport_id: str, values: dict[str, Any], now: datetime
) -> Refusal | None:
    """Change name, password, cap or line authentication, or say why not. What was bought stays as it is (MAT-7).

    Raises Gone.
    """
    contract = contracts.lock_line(connection, contract_id)
    row = find(connection, contract_id, passport_id)
    no = rule.not_in_force(contract, now)
    if no:
        return no
    if row is None:
        raise Gone
    if row["restricted"]:
        return rule.restricted()
    no = rule.cap_too_high(contract, values.get("monthly_cap"))
    if no:
        return no
    no = _unless_taken(connection, update(_rows).where(_rows.c.passport_id == passport_id).values(**values))
    if no is None:
        note(connection, contract_id, "passport_id_changed", now)
    return no


def remove(connection: Connection, contract_id: str, passport_id: str, now: datetime) -> Refusal | None:
    """Delete an ID for good, or say why not; its monthly items are settled no more (MAT-8). Raises Gone."""
    contract = contracts.lock_line(connection, contract_id)
    row = find(connection, contract_id, passport_id)
    no = rule.not_in_force(contract, now)
    if no:
        return no
    if row is None:
        raise Gone
    if row["restricted"]:
        return rule.restricted()
    kept = {"passport_id": passport_id, "contract_id": contract_id, "deleted_at": now}
    connection.execute(_deletions.insert().values(**kept))
    connection.execute(delete(_rows).where(_rows.c.passport_id == passport_id))
    lines.end_items(connection, _purchases.c.passport_id == passport_id, now)
    lines.forget(connection, contract_id, passport_id)
    note(connection, contract_id, "passport_id_deleted", now)
    return None


def _unless_taken(connection: Connection, statement: Any) -> Refusal | None:
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError:
        return rule.name_taken()
    return None


def over(connection: Connection, contract_id: str, now: datetime) -> bool:
    """Whether nothing hangs on the line any more, by its dates."""
    found = select(_contracts.c.snapshot).where(_contracts.c.contract_id == contract_id)
    contract = Contract.model_validate(connection.execute(found).scalar_one())
    return rule.not_in_force(contract, now) is not None

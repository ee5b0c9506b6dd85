"""Purchases: one transaction each, which holds the line's row, so that no two of them spend the same yen (MAT-4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    String,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError

from rules import passport_id as id_rule
from rules import purchase as rule
from rules.calendar import day_of, first_of_month, midnight
from rules.facts import Contract
from rules.refusal import Refusal
from store import pipeline
from store.tables import ContractRow, PassportIdRow, PurchaseRow
from store.write import table

_rows, _ids, _contracts = table(PurchaseRow), table(PassportIdRow), table(ContractRow)


class Gone(Exception):
    """The ID was deleted while its password was being checked."""


class Again(Exception):
    """It was taken before, and nobody heard so."""


def take(
    connection: Connection, passport: RowMapping, values: dict[str, Any], from_line: bool, now: datetime
) -> Refusal | None:
    """Write the purchase, or say why not. Raises Gone, and Again where it stands there already."""
    contract_id, passport_id = passport["contract_id"], passport["passport_id"]
    first = midnight(first_of_month(day_of(now)))
    row = {"contract_id": contract_id, "passport_id": passport_id, "at": now, "ended_at": None, **values}
    try:
        locked, present = _taken(
            connection, row | {"line": contract_id, "passport": passport_id, "first": first}
        )
    except IntegrityError:
        raise Again from None
    contract = Contract.model_validate(locked)
    if present is None or id_rule.not_in_force(contract, now):
        raise Gone
    no = id_rule.suspended(contract, now) or rule.refusal(
        values["amount"],
        rule.Spent(int(present["by_line"]), int(present["by_id"])),
        contract.monthly_cap,
        present["monthly_cap"],
        present["restricted"],
        from_line or not present["line_authentication"],
    )
    if no:
        connection.execute(delete(_rows).where(_rows.c.purchase_id == values["purchase_id"]))
    return no


def _taken(connection: Connection, values: dict[str, Any]) -> tuple[Any, Any]:
    """Lock the line, write the purchase before anything speaks against it; the line, and what the month had cost without it.

    The lock has a statement of its own: one that also summed up would, after waiting for it, sum what was there before.
    PostgreSQL gets all in one round trip; the reading part of the second sees nothing of what its writing part does.
    """
    if connection.dialect.name == "postgresql":
        (locked,), present = pipeline.together(connection, (_LOCK, values), (_TAKE, values))
        return locked, dict(zip(_SPENT.selected_columns.keys(), present, strict=True)) if present else None
    locked = connection.execute(_LOCK, values).scalar_one()
    found = connection.execute(_SPENT, values).mappings().one_or_none()
    connection.execute(_INSERT, {column.name: values[column.name] for column in _rows.columns})
    return locked, found


def _spent() -> Select[Any]:
    """The ID, and what the month has cost so far: bought in it, and monthly items settled on its 1st (MAT-4, MAT-8)."""
    first, passport = bindparam("first", type_=_rows.c.at.type), bindparam("passport", type_=String())
    # A monthly item is settled on the 1st for the month, so one that ends later in the month still counts.
    settled = (_rows.c.kind == "monthly") & (_rows.c.ended_at.is_(None) | (_rows.c.ended_at >= first))
    mine = case((_rows.c.passport_id == passport, _rows.c.amount), else_=0)
    sums = (
        select(
            func.coalesce(func.sum(_rows.c.amount), 0).label("by_line"),
            func.coalesce(func.sum(mine), 0).label("by_id"),
        )
        .where(_rows.c.contract_id == bindparam("line"), (_rows.c.at >= first) | settled)
        .subquery()
    )
    columns = (_ids.c.monthly_cap, _ids.c.restricted, _ids.c.line_authentication)
    living = (_ids.c.passport_id == passport) & (_ids.c.contract_id == bindparam("line"))
    return select(*columns, sums.c.by_line, sums.c.by_id).join(sums, true()).where(living)


_LOCK = select(_contracts.c.snapshot).where(_contracts.c.contract_id == bindparam("line")).with_for_update()
_INSERT = insert(_rows).inline()
_SPENT = _spent()
_WRITTEN = insert(_rows).values({column.name: bindparam(column.name) for column in _rows.columns})
_TAKE = _SPENT.add_cte(_WRITTEN.returning(_rows.c.purchase_id).cte("written"))


def of_contract(connection: Connection, contract_id: str) -> list[RowMapping]:
    """Every purchase, oldest first."""
    found = select(_rows).where(_rows.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_rows.c.at, _rows.c.purchase_id)).mappings())


def living_items(connection: Connection, passport_id: str) -> list[RowMapping]:
    """The monthly items of an ID that are still settled."""
    found = select(_rows).where(_rows.c.passport_id == passport_id, _rows.c.kind == "monthly")
    return list(connection.execute(found.where(_rows.c.ended_at.is_(None)).order_by(_rows.c.at)).mappings())

"""Purchases: one transaction each, which holds the line's row, so that no two of them spend the same yen (MAT-4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    RowMapping,
    Select,
    String,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError, OperationalError

from rules import passport_id as id_rule
from rules import purchase as rule
from rules.calendar import day_of, first_of_month, midnight
from rules.facts import Contract
from rules.refusal import Refusal
from store.tables import ContractRow, PassportIdRow, PurchaseRow
from store.write import table

_rows, _ids, _contracts = table(PurchaseRow), table(PassportIdRow), table(ContractRow)


class Gone(Exception):
    """The ID was deleted after it had been looked up: while its password was being checked, for instance."""


class Again(Exception):
    """It was taken before, and nobody heard so."""


def take(
    connection: Connection, passport: RowMapping, values: dict[str, Any], from_line: bool, now: datetime
) -> Refusal | None:
    """Write the purchase, or say why not. Raises Gone, and Again where it stands there already."""
    row = {name: passport[name] for name in ("contract_id", "passport_id")}
    row |= {"at": now, "ended_at": None, "first": midnight(first_of_month(day_of(now))), **values}
    try:
        present = _taken(connection, row)
    except IntegrityError:
        raise Again from None
    if present is None:
        raise Gone
    contract = Contract.model_validate(present["snapshot"])
    if id_rule.not_in_force(contract, now):
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
    if no and no.rule == "MAT-4":
        settled = rule.Spent(*connection.execute(_SETTLED, row).one())
        return rule.with_opening(no, values["amount"], settled, contract, present["monthly_cap"], now)
    return no


def _taken(connection: Connection, row: dict[str, Any]) -> Mapping[Any, Any] | None:
    """Lock the line, write the purchase before anything speaks against it; its ID, and what the month had cost without it.

    The lock has a statement of its own: one that also summed up would, after waiting for it, sum what was there before.
    """
    if connection.dialect.name == "postgresql":
        found = _called(connection, row)
        return dict(zip(_SPENT.selected_columns.keys(), found, strict=True)) if found else None
    connection.execute(_LOCK, row)
    found = connection.execute(_SPENT, row).mappings().one_or_none()
    connection.execute(_INSERT, {column.name: row[column.name] for column in _rows.columns})
    return found


def _called(connection: Connection, row: dict[str, Any]) -> Any:
    """By the driver itself: SQLAlchemy's part in a statement takes as long as PostgreSQL's in this one."""
    driver, driven = connection.dialect.loaded_dbapi, connection.connection.driver_connection
    assert driven is not None
    try:
        return driven.execute(_CALL, row).fetchone()
    except driver.IntegrityError as fault:
        raise IntegrityError("take_purchase", None, fault) from None
    except driver.OperationalError as fault:
        raise OperationalError("take_purchase", None, fault) from None


def _lock(line: ColumnElement[str]) -> Select[Any]:
    return select(_contracts.c.contract_id).where(_contracts.c.contract_id == line).with_for_update()


def _spent(
    line: ColumnElement[str], passport: ColumnElement[str], first: ColumnElement[datetime]
) -> Select[Any]:
    """The ID, its line, and what the month has cost: bought in it, and monthly items settled on its 1st (MAT-4, MAT-8)."""
    # A monthly item is settled on the 1st for the month, so one that ends later in the month still counts.
    settled = (_rows.c.kind == "monthly") & (_rows.c.ended_at.is_(None) | (_rows.c.ended_at >= first))
    mine = case((_rows.c.passport_id == passport, _rows.c.amount), else_=0)
    sums = (
        select(
            func.coalesce(func.sum(_rows.c.amount), 0, type_=BigInteger).label("by_line"),
            func.coalesce(func.sum(mine), 0, type_=BigInteger).label("by_id"),
        )
        .where(_rows.c.contract_id == line, (_rows.c.at >= first) | settled)
        .subquery()
    )
    of_id = (_ids.c.monthly_cap, _ids.c.restricted, _ids.c.line_authentication)
    living = (_ids.c.passport_id == passport) & (_contracts.c.contract_id == line)
    owned = _ids.join(_contracts, _ids.c.contract_id == _contracts.c.contract_id).join(sums, true())
    columns = (_contracts.c.snapshot, *of_id, sums.c.by_line, sums.c.by_id)
    return select(*columns).select_from(owned).where(living)


def _settled() -> Select[Any]:
    """What monthly items will have cost on the next 1st: of the whole line, and of the one ID."""
    living = (_rows.c.kind == "monthly") & _rows.c.ended_at.is_(None)
    mine = case((_rows.c.passport_id == bindparam("passport_id", type_=String()), _rows.c.amount), else_=0)
    sums = (func.coalesce(func.sum(amount), 0, type_=BigInteger) for amount in (_rows.c.amount, mine))
    return select(*sums).where(_rows.c.contract_id == bindparam("contract_id", type_=String()), living)


_SETTLED = _settled()
_LOCK = _lock(bindparam("contract_id", type_=String()))
_INSERT = insert(_rows).inline()
_SPENT = _spent(
    bindparam("contract_id", type_=String()),
    bindparam("passport_id", type_=String()),
    bindparam("first", type_=_rows.c.at.type),
)
_GIVEN = ", ".join(f"%({name})s" for name in (*_rows.columns.keys(), "first"))
_CALL = f"select * from take_purchase({_GIVEN})"  # noqa: S608 - our own columns


def function(dialect: Dialect) -> str:
    """The same statements as one function of PostgreSQL: one round trip, as threads that wait for many wait for each other.

    Its arguments are the columns: processes of before another column was added go on with the function that they know.
    One that returns something else needs another name.
    """

    def sql(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    given = {column.name: literal_column(f"a_{column.name}", column.type) for column in _rows.columns}
    first = literal_column("a_first", _rows.c.at.type)
    types = {column.key: column.type for column in (*given.values(), first)}
    lock = _lock(given["contract_id"])
    spent = _spent(given["contract_id"], given["passport_id"], first)
    written = insert(_rows).values(given).returning(_rows.c.purchase_id).cte("written")
    arguments = ", ".join(f"{name} {type_.compile(dialect)}" for name, type_ in types.items())
    found = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in spent.selected_columns)
    lines = (
        f"create or replace function take_purchase({arguments}) returns table ({found})",
        "language plpgsql as $$",
        "#variable_conflict use_column",
        f"begin perform * from ({sql(lock)}) as line;",
        f"return query {sql(spent.add_cte(written))}; end $$",
    )
    return "\n".join(lines)


def of_contract(connection: Connection, contract_id: str) -> list[RowMapping]:
    """Every purchase, oldest first."""
    found = select(_rows).where(_rows.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_rows.c.at, _rows.c.purchase_id)).mappings())


def living_items(connection: Connection, passport_id: str) -> list[RowMapping]:
    """The monthly items of an ID that are still settled."""
    found = select(_rows).where(_rows.c.passport_id == passport_id, _rows.c.kind == "monthly")
    return list(connection.execute(found.where(_rows.c.ended_at.is_(None)).order_by(_rows.c.at)).mappings())

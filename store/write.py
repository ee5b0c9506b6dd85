"""What every writer needs: a row's table, and statements that are built once, as building one costs more than running it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Insert, Select, Table, Update, bindparam, select
from sqlalchemy import insert as plain_insert
from sqlalchemy import update as plain_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel


def table(row: type[SQLModel]) -> Table:
    found: Table = row.metadata.tables[str(row.__tablename__)]
    return found


def insert(connection: Connection, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Insert rows that name the same columns."""
    if values:
        connection.execute(_insert(row), values)


def upsert(
    connection: Connection, row: type[SQLModel], values: list[dict[str, Any]], change: tuple[str, ...] = ()
) -> int:
    """Insert; where the key is there already, set the columns of `change`, or do nothing. Returns the rows written."""
    # Else PostgreSQL's driver does not tell how many rows an insert has written.
    counted = {"preserve_rowcount": True}
    statement = _upsert(connection.dialect.name, row, change)
    return int(connection.execute(statement, values, execution_options=counted).rowcount)


def insert_found(
    connection: Connection,
    row: type[SQLModel],
    columns: tuple[str, ...],
    found: Select[Any],
    given: dict[str, Any],
    fresh: bool = False,
) -> int:
    """Insert what `found` selects, leaving out whose key is there already. Returns the rows written.

    `found` is built once, as what it is inserted by is kept beside it; `given`: what it names.
    `fresh`: probably none is there yet. PostgreSQL then takes them for half of what asking for each would cost.
    """
    return int(_inserted(connection, row, columns, found, given, fresh, False).rowcount)


def insert_found_of(
    connection: Connection,
    row: type[SQLModel],
    columns: tuple[str, ...],
    found: Select[Any],
    given: dict[str, Any],
    fresh: bool = False,
) -> set[str]:
    """The same; of which contracts the rows are that were written."""
    return {*_inserted(connection, row, columns, found, given, fresh, True).scalars()}


def _inserted(
    connection: Connection,
    row: type[SQLModel],
    columns: tuple[str, ...],
    found: Select[Any],
    given: dict[str, Any],
    fresh: bool,
    named: bool,
) -> CursorResult[Any]:
    counted, dialect = {"preserve_rowcount": True}, connection.dialect.name
    if fresh and dialect == "postgresql":
        with suppress(IntegrityError), connection.begin_nested():
            plain = _insert_found(dialect, row, columns, found, named)
            return connection.execute(plain, given, execution_options=counted)
    missing = _insert_missing(dialect, row, columns, found, named)
    return connection.execute(missing, given, execution_options=counted)


def unused(connection: Connection, column: Column[str], words: Iterable[str]) -> str:
    """The first that stands in no row."""
    having = select(column).where(column == bindparam("wanted"))
    return next(one for one in words if connection.execute(having, {"wanted": one}).first() is None)


def set_values(connection: Connection, row: type[SQLModel], values: list[dict[str, Any]]) -> int:
    """Set columns of rows that are there; `values` name the key among the columns. Returns the rows written."""
    if not values:
        return 0
    keys = [column.name for column in table(row).primary_key.columns]
    named = [
        {f"key_{name}" if name in keys else name: value for name, value in one.items()} for one in values
    ]
    return int(connection.execute(_update(row), named).rowcount)


@cache
def _insert(row: type[SQLModel]) -> Insert:
    return plain_insert(table(row)).inline()


@cache
def _upsert(dialect: str, row: type[SQLModel], change: tuple[str, ...]) -> Insert:
    target = table(row)
    keys = list(target.primary_key.columns)
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(target).inline()
    if not change:
        found: Insert = statement.on_conflict_do_nothing(index_elements=keys)
        return found
    new = {name: statement.excluded[name] for name in change}
    changing: Insert = statement.on_conflict_do_update(index_elements=keys, set_=new)
    return changing


@cache
def _insert_found(
    dialect: str, row: type[SQLModel], columns: tuple[str, ...], found: Select[Any], named: bool
) -> Any:
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table(row))
    statement = statement.from_select(columns, found, include_defaults=False)
    return statement.returning(table(row).c.contract_id) if named else statement


@cache
def _insert_missing(
    dialect: str, row: type[SQLModel], columns: tuple[str, ...], found: Select[Any], named: bool
) -> Insert:
    keys = list(table(row).primary_key.columns)
    missing: Insert = _insert_found(dialect, row, columns, found, named).on_conflict_do_nothing(
        index_elements=keys
    )
    return missing


@cache
def _update(row: type[SQLModel]) -> Update:
    statement = plain_update(table(row))
    for column in table(row).primary_key.columns:
        statement = statement.where(column == bindparam(f"key_{column.name}"))
    return statement

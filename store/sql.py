"""What SQL says differently on SQLite and on PostgreSQL, and what a set-based statement needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    and_,
    case,
    literal,
    literal_column,
    text,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from store.types import Instant, Json


class midnight_of(GenericFunction[Any]):
    """00:00 of a date in Japan, as an instant (CAL-1)."""

    type = Instant()
    inherit_cache = True


@compiles(midnight_of, "postgresql")
def _on_postgresql(element: midnight_of, compiler: Any, **more: Any) -> str:
    return f"(({compiler.process(element.clauses, **more)})::timestamp at time zone 'Asia/Tokyo')"


@compiles(midnight_of, "sqlite")
def _on_sqlite(element: midnight_of, compiler: Any, **more: Any) -> str:
    # As store.types.Instant writes it there: in UTC, nine hours behind all year.
    return f"strftime('%Y-%m-%d %H:%M:%S.000000', {compiler.process(element.clauses, **more)}, '-9 hours')"


class json_object(GenericFunction[Any]):
    """An object of names and values in turn, as store.types.Json keeps one."""

    type = Json
    inherit_cache = True


@compiles(json_object, "postgresql")
def _built_on_postgresql(element: json_object, compiler: Any, **more: Any) -> str:
    return f"jsonb_build_object({compiler.process(element.clauses, **more)})"


def json_of(**values: ColumnElement[Any]) -> ColumnElement[Any]:
    """`values` by name."""
    parts = [part for name, value in values.items() for part in (literal_column(f"'{name}'"), value)]
    return json_object(*parts)


def later(one: ColumnElement[Any], other: Any) -> ColumnElement[Any]:
    """The later of two days."""
    day = literal(other, Date())
    return case((one > day, one), else_=day)


def floored(dividend: ColumnElement[int], divisor: int) -> ColumnElement[int]:
    """Whole division rounded down, below zero too, where SQL would round towards zero."""
    remainder = (dividend % divisor + divisor) % divisor
    return (dividend - remainder) // divisor


Whose = Callable[[FromClause], ColumnElement[bool]]
"""Which contracts a statement is about, said of whatever has contracts: of all that it reads, or it would read too much."""


def everybody(rows: FromClause) -> ColumnElement[bool]:
    return true()


def only(contract_id: str) -> Whose:
    """That one contract."""
    return lambda rows: rows.c.contract_id == contract_id


def within(after: str, until: str) -> Whose:
    """The contracts after `after` up to `until`."""
    return lambda rows: and_(rows.c.contract_id > after, rows.c.contract_id <= until)


@contextmanager
def many_at_once(connection: Connection) -> Iterator[None]:
    """Here PostgreSQL joins ranges as a whole, and not row by row, as it would where it has not counted new rows yet."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("set local enable_nestloop = off"))
    yield
    connection.execute(text("set local enable_nestloop = on"))


def alone(connection: Connection, name: str) -> None:
    """To the end of this transaction nobody else is at what goes by that name. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

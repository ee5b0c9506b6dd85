"""What SQL says differently on SQLite and on PostgreSQL, and what a set-based statement needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    String,
    and_,
    bindparam,
    case,
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


class as_well(GenericFunction[Any]):
    """What follows from other conditions, for PostgreSQL alone: SQLite finds row by row, and would only check it again."""

    type = Boolean()
    inherit_cache = True


@compiles(as_well, "postgresql")
def _said_on_postgresql(element: as_well, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.clauses, **more))


@compiles(as_well, "sqlite")
def _left_out_on_sqlite(element: as_well, compiler: Any, **more: Any) -> str:
    return "1"


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


def later(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two days."""
    return case((one > other, one), else_=other)


def floored(dividend: ColumnElement[int], divisor: int) -> ColumnElement[int]:
    """Whole division rounded down, below zero too, where SQL would round towards zero."""
    remainder = (dividend % divisor + divisor) % divisor
    return (dividend - remainder) // divisor


_TYPES: dict[type, Any] = {str: String(), int: Integer(), date: Date(), datetime: Instant(), dict: Json}


def parameter(name: str, kind: type) -> BindParameter[Any]:
    """What a statement is given when it runs, so that it is built once. Where a column is called like it, it would be set."""
    return bindparam(name, type_=_TYPES[kind])


PERIOD, AT = parameter("the_period", str), parameter("the_at", datetime)
AFTER, UNTIL = parameter("the_after", str), parameter("the_until", str)
CONTRACT, AT_MOST = parameter("the_contract", str), parameter("the_most", int)
LAST_DAYS = parameter("the_last_days", date)
"""Of lots of points, for `in_`."""


Whose = Callable[[FromClause], ColumnElement[bool]]
"""Which contracts a statement is about, said of whatever has contracts: of all that it reads, or it would read too much."""


class Whom(NamedTuple):
    """Contracts: how a statement says which they are, and what it is given for it."""

    whose: Whose
    given: dict[str, Any]


def everybody(rows: FromClause) -> ColumnElement[bool]:
    return true()


def only(contract_id: str) -> Whom:
    """That one contract."""
    return Whom(_only, {"the_contract": contract_id})


def _only(rows: FromClause) -> ColumnElement[bool]:
    return rows.c.contract_id == CONTRACT


def within(after: str, until: str) -> Whom:
    """The contracts after `after` up to `until`."""
    return Whom(_within, {"the_after": after, "the_until": until})


def _within(rows: FromClause) -> ColumnElement[bool]:
    return and_(rows.c.contract_id > AFTER, rows.c.contract_id <= UNTIL)


@contextmanager
def many_at_once(connection: Connection) -> Iterator[None]:
    """Here PostgreSQL joins and groups ranges as a whole, by hash: where it has not counted new rows yet, it would go
    row by row, or sort them by name."""
    if connection.dialect.name != "postgresql":
        yield
        return
    one_by_one = text(
        "select set_config('enable_nestloop', :may, true), set_config('enable_sort', :may, true)"
    )
    connection.execute(one_by_one, {"may": "off"})
    yield
    connection.execute(one_by_one, {"may": "on"})


def alone(connection: Connection, name: str) -> None:
    """To the end of this transaction nobody else is at what goes by that name. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

"""Thousands of rows at once, in one statement where the database takes that."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from store import write
from store.types import Json


def insert(connection: Connection, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Insert rows that name the same columns."""
    if not values:
        return
    if connection.dialect.name == "sqlite":
        write.insert(connection, row, values)
        return
    columns = tuple(values[0])
    documents = {name for name in columns if write.table(row).c[name].type is Json}
    given = {name: [_plain(one[name], name in documents) for one in values] for name in columns}
    connection.execute(_unnested(row, columns), given)


def _plain(value: Any, document: bool) -> Any:
    return json.dumps(value, ensure_ascii=False) if document and value is not None else value


@cache
def _unnested(row: type[SQLModel], columns: tuple[str, ...]) -> TextClause:
    """One array a column: a tenth of what PostgreSQL's driver takes for as many single rows."""
    target, dialect = write.table(row), postgresql.dialect()  # type: ignore[no-untyped-call]
    types = [target.c[name].type.compile(dialect) for name in columns]
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in zip(columns, types, strict=True))
    names = ", ".join(f'"{name}"' for name in columns)
    return text(f'insert into "{target.name}" ({names}) select * from unnest({arrays})')  # noqa: S608 - our own names

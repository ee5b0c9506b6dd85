"""The two things every writer needs: a row's table, and an insert that may be repeated."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel


def table(row: type[SQLModel]) -> Table:
    found: Table = row.metadata.tables[str(row.__tablename__)]
    return found


def upsert(
    connection: Connection, row: type[SQLModel], values: list[dict[str, Any]], change: tuple[str, ...] = ()
) -> int:
    """Insert; where the key is there already, set the columns of `change`, or do nothing. Returns the rows written."""
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    target = table(row)
    statement = insert(target).values(values) if len(values) == 1 else insert(target)
    keys = list(target.primary_key.columns)
    if change:
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in change}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    # Else PostgreSQL's driver does not tell how many rows an insert has written.
    counted = {"preserve_rowcount": True}
    parameters = None if len(values) == 1 else values
    result = connection.execute(statement, parameters, execution_options=counted)
    return int(result.rowcount)

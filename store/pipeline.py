"""Several statements in one round trip, on PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import psycopg
from sqlalchemy import ClauseElement, Connection, Dialect, Executable, exc
from sqlalchemy.sql.compiler import SQLCompiler


def together(connection: Connection, *statements: tuple[Executable, dict[str, Any]]) -> list[Any]:
    """The first row of each, or None. Each sees what those before it did. Raises what SQLAlchemy would."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.pipeline():
            cursors = [
                _begun(driver, _compiled(statement, connection.dialect), values)
                for statement, values in statements
            ]
        return [cursor.fetchone() for cursor in cursors]
    except psycopg.IntegrityError as fault:
        raise exc.IntegrityError("pipeline", None, fault) from None
    except psycopg.OperationalError as fault:
        raise exc.OperationalError("pipeline", None, fault) from None


def _begun(driver: psycopg.Connection, compiled: SQLCompiler, values: dict[str, Any]) -> psycopg.Cursor[Any]:
    return driver.execute(compiled.string.encode(), compiled.construct_params(values))


@cache
def _compiled(statement: Executable, dialect: Dialect) -> SQLCompiler:
    found = cast(ClauseElement, statement).compile(dialect=dialect)
    assert isinstance(found, SQLCompiler)
    return found

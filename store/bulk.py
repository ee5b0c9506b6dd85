"""Thousands of rows at once, the fastest way that each database has."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import SQLModel

from store import write
from store.types import Json


def insert(connection: Connection, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Insert rows that name the same columns, all that have no default. Raises IntegrityError, DataError."""
    if not values:
        return
    if connection.dialect.name == "sqlite":
        write.insert(connection, row, values)
        return
    try:
        _copy(connection, row, values)
    except psycopg.IntegrityError as fault:
        raise IntegrityError("copy", None, fault) from None
    except psycopg.DataError as fault:
        raise DataError("copy", None, fault) from None


def _copy(connection: Connection, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    target, names = write.table(row), list(values[0])
    documents = {name for name in names if target.c[name].type is Json}
    columns = ", ".join(f'"{name}"' for name in names)
    into = f'copy "{target.name}" ({columns}) from stdin'
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection), "every other database was dealt with"
    with driver.cursor() as cursor, cursor.copy(into.encode()) as copy:
        for one in values:
            copy.write_row([_plain(one[name], name in documents) for name in names])


def _plain(value: Any, document: bool) -> Any:
    return json.dumps(value, ensure_ascii=False) if document and value is not None else value

"""Engines and transactions, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")
BUSY_SECONDS = 30
DOWN = (InterfaceError, InternalError, NoConnection, OperationalError)
"""What is raised while the database does not answer, gives no connection away, or is not the one that may be written."""


def connect(url: str, pool_size: int = 10) -> Engine:
    """An engine for `url`. On SQLite every transaction takes the write lock when it begins: otherwise updates get lost."""
    # Whoever logs or shows a fault must not quote what was written with it; of Temporal `gate.Discreet` takes care.
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size, "hide_parameters": True}
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, **pool)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def reading(engine: Engine) -> Engine:
    """The same database for reads only: a transaction sees one state of it throughout, and never waits for writers."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(reading=True)
    return engine.execution_options(isolation_level="REPEATABLE READ")


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """What `work` returns, once its transaction is written."""
    with engine.begin() as connection:
        return work(connection)


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # SQLAlchemy says BEGIN itself (see _begin); the driver must not.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=wal",
        "synchronous=normal",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "wal_autocheckpoint=10000",  # pages; by itself, after 1000, a run would stop ten times as often
        "foreign_keys=on",
        "secure_delete=on",  # what is deleted is overwritten (COL-7)
    ):
        connection.execute(f"pragma {pragma}")


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")

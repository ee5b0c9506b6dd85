"""Runs over many members' points and the end of one line never pass each other (COL-6, PNT-9)."""

from __future__ import annotations

from sqlalchemy import Connection, text

_KEY = 7_046_201


def hold_ends_back(connection: Connection) -> None:
    """To the end of this transaction no line ends with its points: otherwise what is granted now might outlive it.

    Locking every row that a run reads would cost more than the run. SQLite lets one writer in at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock_shared(:key)"), {"key": _KEY})


def wait_for_runs(connection: Connection) -> None:
    """Until no chunk of a run is being written, and none begins before the end of this transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _KEY})

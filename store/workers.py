"""Which workers are alive: each says so every few seconds, by the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from store.tables import WorkerRow
from store.write import table, upsert

BEAT = timedelta(seconds=2)
GONE = 3 * BEAT

_rows = table(WorkerRow)


def beat(connection: Connection, worker_id: str) -> None:
    """The worker is alive; forget those who have been gone for long."""
    now = datetime.now(UTC)
    upsert(connection, WorkerRow, [{"worker_id": worker_id, "seen_at": now}], change=("seen_at",))
    connection.execute(delete(_rows).where(_rows.c.seen_at < now - 100 * BEAT))


def alive(connection: Connection) -> int:
    """How many workers said lately that they are alive."""
    lately = datetime.now(UTC) - GONE
    return int(connection.execute(select(func.count()).where(_rows.c.seen_at >= lately)).scalar_one())


def leave(connection: Connection, worker_id: str) -> None:
    """The worker stops."""
    connection.execute(delete(_rows).where(_rows.c.worker_id == worker_id))

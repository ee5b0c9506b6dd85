"""Which workers are alive: each says so every few seconds, by the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select

from store.tables import WorkerRow
from store.write import table, upsert

BEAT = timedelta(seconds=2)
GONE = 3 * BEAT

_rows = table(WorkerRow)


def beat(connection: Connection, worker_id: str, build_id: str) -> None:
    """The worker of that version is alive; forget those who have been gone for long."""
    now = datetime.now(UTC)
    row = {"worker_id": worker_id, "seen_at": now, "build_id": build_id}
    upsert(connection, WorkerRow, [row], change=("seen_at",))
    connection.execute(delete(_rows).where(_rows.c.seen_at < now - 100 * BEAT))


def alive(connection: Connection) -> set[str | None]:
    """The versions whose workers said lately that they are alive."""
    lately = datetime.now(UTC) - GONE
    return set(connection.execute(select(_rows.c.build_id).where(_rows.c.seen_at >= lately)).scalars())


def leave(connection: Connection, worker_id: str) -> None:
    """The worker stops."""
    connection.execute(delete(_rows).where(_rows.c.worker_id == worker_id))

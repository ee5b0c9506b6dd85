"""Remembered answers to requests with an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from store.tables import AnswerRow
from store.write import table, upsert

_rows = table(AnswerRow)


def claim(
    connection: Connection, answer_key: str, body_hash: str, now: datetime, lease: timedelta
) -> RowMapping | None:
    """None: the caller is to do the request. Otherwise the row of whoever did it, or is doing it."""
    values = {
        "answer_key": answer_key,
        "body_hash": body_hash,
        "received_at": now,
        "leased_until": now + lease,
    }
    if upsert(connection, AnswerRow, [values]):
        return None
    mine = _rows.c.answer_key == answer_key
    lapsed = mine & _rows.c.status.is_(None) & (_rows.c.body_hash == body_hash) & (_rows.c.leased_until < now)
    if connection.execute(update(_rows).where(lapsed).values(leased_until=now + lease)).rowcount:
        return None
    return connection.execute(select(_rows).where(mine)).mappings().first()


def keep(
    connection: Connection,
    answer_key: str,
    status: int,
    headers: dict[str, Any],
    body: str,
    now: datetime,
    kept: timedelta,
) -> None:
    """Remember an answer for as long as `kept`, and forget those whose time is over."""
    values = {"status": status, "headers": headers, "body": body, "leased_until": now + kept}
    connection.execute(update(_rows).where(_rows.c.answer_key == answer_key).values(**values))
    connection.execute(delete(_rows).where(_rows.c.leased_until < now - kept))


def forget(connection: Connection, answer_key: str) -> None:
    """The request was not done: the same key may try again."""
    connection.execute(delete(_rows).where(_rows.c.answer_key == answer_key, _rows.c.status.is_(None)))

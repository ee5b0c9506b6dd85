"""Wrong tries are counted for every name, known or not, and lock it for a while (IDN-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from rules.policy import Policy
from store.tables import LockRow
from store.write import table, upsert

_rows = table(LockRow)


def locked_until(connection: Connection, subject: str, now: datetime) -> datetime | None:
    """The end of the lock that holds at `now`."""
    found: datetime | None = connection.execute(
        select(_rows.c.locked_until).where(_rows.c.subject == subject)
    ).scalar_one_or_none()
    return found if found and found > now else None


def failed(connection: Connection, subject: str, now: datetime, policy: Policy) -> None:
    """One more wrong try; the last one allowed locks. A lock that is over starts the count anew."""
    row = (
        connection.execute(select(_rows).where(_rows.c.subject == subject).with_for_update())
        .mappings()
        .first()
    )
    over = row is None or (row["locked_until"] is not None and row["locked_until"] <= now)
    failures = 1 if over or row is None else row["failures"] + 1
    locked = now + timedelta(minutes=policy.login.lock_minutes) if failures >= policy.login.failures else None
    values = {"subject": subject, "failures": failures, "last_failure_at": now, "locked_until": locked}
    upsert(connection, LockRow, [values], change=("failures", "last_failure_at", "locked_until"))


def lift(connection: Connection, subject: str) -> None:
    """A right try, or an operator."""
    connection.execute(delete(_rows).where(_rows.c.subject == subject))

"""Wrong tries are counted for every name, known or not, and lock it for a while (IDN-5).

Those for a passport ID that is there are counted for the ID, as its name may be changed and become another's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from rules.figures import Policy
from store.tables import LockRow
from store.write import table, upsert

KEPT = timedelta(days=1)
_rows = table(LockRow)


def locked_until(connection: Connection, subject: str, now: datetime) -> datetime | None:
    """The end of the lock that holds at `now`."""
    return standing(connection, subject, now)[0]


def standing(connection: Connection, subject: str, now: datetime) -> tuple[datetime | None, int]:
    """The end of the lock that holds at `now`, and how many wrong tries are remembered."""
    found = select(_rows.c.locked_until, _rows.c.failures).where(_rows.c.subject == subject)
    until, failures = connection.execute(found).one_or_none() or (None, 0)
    return until if until and until > now else None, failures


def tried(
    connection: Connection, subject: str, right: bool, now: datetime, policy: Policy
) -> datetime | None:
    """The end of the lock that holds, or None: a right try is forgotten, a wrong one counted, the last one allowed locks.

    Tries that come at the same moment are judged one after the other, so that a burst has no more than any other.
    """
    new = {"subject": subject, "failures": 0, "last_failure_at": now}
    # Changing nothing holds the row: one that was only looked for could be gone with another's right try.
    upsert(connection, LockRow, [new], change=("subject",))
    mine = _rows.c.subject == subject
    row = connection.execute(select(_rows).where(mine)).mappings().one()
    until: datetime | None = row["locked_until"]
    if until and until > now:
        return until
    if right:
        lift(connection, subject)
        return None
    # A lock that is over starts the count anew.
    failures = 1 if until else row["failures"] + 1
    locked = now + timedelta(minutes=policy.login.lock_minutes) if failures >= policy.login.failures else None
    connection.execute(
        update(_rows).where(mine).values(failures=failures, last_failure_at=now, locked_until=locked)
    )
    return None


def lift(connection: Connection, *subjects: str) -> int:
    """A right try, or an operator. Returns for how many there had been wrong ones."""
    return int(connection.execute(delete(_rows).where(_rows.c.subject.in_(subjects))).rowcount)


def sweep(connection: Connection, now: datetime) -> int:
    """Forget tries that are long over. Returns how many names."""
    over = (_rows.c.last_failure_at < now - KEPT) & (
        _rows.c.locked_until.is_(None) | (_rows.c.locked_until < now)
    )
    return int(connection.execute(delete(_rows).where(over)).rowcount)

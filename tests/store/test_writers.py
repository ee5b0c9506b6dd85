"""Sixteen writers at once: no update is lost, on SQLite as on PostgreSQL, and readers do not wait for writers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, update

from rules import policy
from store import answers, locks
from store.database import in_transaction, reading
from store.tables import LockRow
from store.write import insert, table

WRITERS, TIMES = 16, 20
NOW = datetime(2026, 4, 1, tzinfo=UTC)
ROWS = table(LockRow)


def counted(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(select(ROWS.c.failures)).scalar_one())


def all_at_once(engine: Engine, work: str) -> None:
    """Every writer reads a number, then writes the next, many times."""
    start = threading.Barrier(WRITERS)

    def write(_: int) -> None:
        start.wait()
        for _ in range(TIMES):
            with engine.begin() as connection:
                found = select(ROWS.c.failures).where(ROWS.c.subject == work).with_for_update()
                number = connection.execute(found).scalar_one()
                connection.execute(update(ROWS).where(ROWS.c.subject == work).values(failures=number + 1))

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))


def test_no_update_is_lost(engine: Engine) -> None:
    with engine.begin() as connection:
        insert(connection, LockRow, [{"subject": "a", "failures": 0, "last_failure_at": NOW}])
    all_at_once(engine, "a")
    assert counted(engine) == WRITERS * TIMES


def test_wrong_tries_at_once_are_all_counted_from_the_very_first(engine: Engine) -> None:
    figures = policy.load()

    def wrong(_: int) -> bool:
        with engine.begin() as connection:
            return locks.tried(connection, "nobody", False, NOW, figures) is None

    with ThreadPoolExecutor(WRITERS) as threads:
        counted_as_tries = list(threads.map(wrong, range(WRITERS)))
    assert counted_as_tries.count(True) == figures.login.failures


def test_of_many_who_claim_a_key_at_once_one_gets_it(engine: Engine) -> None:
    def claim(_: int) -> bool:
        with engine.begin() as connection:
            return answers.claim(connection, "key", "hash", NOW, timedelta(minutes=1)).mine

    with ThreadPoolExecutor(WRITERS) as threads:
        assert list(threads.map(claim, range(WRITERS))).count(True) == 1


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.begin() as connection:
        insert(connection, LockRow, [{"subject": "a", "failures": 1, "last_failure_at": NOW}])
    with engine.begin() as writer:
        writer.execute(update(ROWS).values(failures=2))
        with reading(engine).begin() as reader:
            assert reader.execute(select(ROWS.c.failures)).scalar_one() == 1
    assert counted(engine) == 2


def test_right_tries_at_once_forgive_a_wrong_one_together(engine: Engine) -> None:
    figures, again = policy.load(), threading.Barrier(2, timeout=20)

    def tried(right: bool) -> None:
        in_transaction(engine, lambda connection: locks.tried(connection, "a", right, NOW, figures))

    def right(_: int) -> None:
        for _ in range(TIMES):
            if again.wait() == 0:
                tried(False)
            again.wait()
            tried(True)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(right, range(2)))
    with engine.begin() as connection:
        assert connection.execute(select(ROWS)).all() == []

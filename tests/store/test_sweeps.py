"""What is only on its way does not stay: intake, remembered answers, wrong tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, select, update

from rules import policy
from store import answers, locks, people
from store.tables import IntakeRow, TransitionRow
from store.write import table

NOW = datetime(2026, 4, 1, tzinfo=UTC)
INTAKE = table(IntakeRow)


def aged(connection: Connection, command_id: str, age: timedelta) -> None:
    """A command that was put down so long ago."""
    people.take_in(connection, command_id, {"party": {"name": "山田 花子"}})
    old = update(INTAKE).where(INTAKE.c.command_id == command_id)
    connection.execute(old.values(received_at=datetime.now(UTC) - age))


def test_personal_data_that_came_with_a_command_nobody_took_is_gone_after_a_day(engine: Engine) -> None:
    with engine.begin() as connection:
        aged(connection, "fresh", timedelta(hours=23))
        aged(connection, "old", timedelta(hours=25))
        assert people.sweep(connection) == 1
        assert connection.execute(select(INTAKE.c.command_id)).scalars().all() == ["fresh"]


def test_a_command_that_is_written_down_is_in_doubt_after_half_a_minute(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, (command_id, age) in enumerate({"young": 5, "older": 40, "oldest": 60}.items()):
            aged(connection, command_id, timedelta(seconds=age))
            written = {"contract_id": "k-1", "number": number, "command_id": command_id, "recorded_at": NOW}
            connection.execute(table(TransitionRow).insert(), [written])
        aged(connection, "of which nothing came", timedelta(hours=1))
        assert people.unanswered(connection) == ["oldest", "older"]


def test_a_key_that_nothing_came_of_is_free_for_anything(engine: Engine) -> None:
    lease = timedelta(minutes=1)
    with engine.begin() as connection:
        first = answers.claim(connection, "key", "hash", NOW, lease)
        assert not answers.claim(connection, "key", "hash", NOW, lease).mine
        answers.leave(connection, "key", NOW, NOW)
        again = answers.claim(connection, "key", "hash", NOW, lease)
        assert (again.mine, again.received_at) == (True, first.received_at)
        answers.leave(connection, "key", NOW, NOW)
        later = NOW + timedelta(seconds=1)
        another = answers.claim(connection, "key", "another hash", later, lease)
        assert (another.mine, another.received_at) == (True, later)


def test_a_lease_that_ran_out_goes_to_the_next_who_asks(engine: Engine) -> None:
    lease = timedelta(minutes=1)
    with engine.begin() as connection:
        first = answers.claim(connection, "key", "hash", NOW, lease)
        assert not answers.claim(connection, "key", "hash", NOW + lease, lease).mine
        after = answers.claim(connection, "key", "hash", NOW + 2 * lease, lease)
        assert (after.mine, after.received_at) == (True, first.received_at)


def test_tries_long_over_are_forgotten_and_locks_in_force_are_not(engine: Engine) -> None:
    figures = policy.load()
    with engine.begin() as connection:
        locks.tried(connection, "once", False, NOW, figures)
        for _ in range(figures.login.failures):
            locks.tried(connection, "locked", False, NOW, figures)
        assert locks.locked_until(connection, "locked", NOW) == NOW + timedelta(
            minutes=figures.login.lock_minutes
        )
        assert locks.sweep(connection, NOW + timedelta(hours=1)) == 0
        assert locks.sweep(connection, NOW + timedelta(days=2)) == 2

"""Remembered answers of a line that ends: none outlives what it names, whichever of the two comes first (COL-7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from rules import policy
from store import answers, lines, passport_ids
from store.changes import facts
from store.purchases import Gone
from store.tables import AnswerRow, ContractRow
from store.write import table
from tests.rules.cases import rental
from tests.rules.lines import line

NOW = datetime(2026, 6, 10, tzinfo=UTC)
BODY = '{"name": "hanako-1"}'
CONTRACTS, ANSWERS = table(ContractRow), table(AnswerRow)


def have(connection: Connection, make: Callable[[], Any]) -> None:
    values = {"account_id": "a-1", "party_id": "y-1", **facts(make())}
    connection.execute(CONTRACTS.insert().values(**values))
    answers.claim(connection, "key", "hash", NOW, timedelta(minutes=1), "k-1")


def end(connection: Connection, state: str) -> None:
    connection.execute(update(CONTRACTS).values(state=state))
    lines.wipe(connection, "k-1", NOW)


def keep(connection: Connection) -> None:
    answers.keep(connection, "key", NOW, 201, {}, BODY, NOW, timedelta(hours=48))


def kept(connection: Connection) -> tuple[int, str]:
    row = connection.execute(select(ANSWERS.c.status, ANSWERS.c.body)).one()
    return row.status, row.body


@pytest.mark.parametrize("state", ["ended", "converted"])
@pytest.mark.parametrize("first", ["the answer", "the end"])
def test_of_an_answer_only_that_there_was_one_remains(engine: Engine, state: str, first: str) -> None:
    with engine.begin() as connection:
        have(connection, line)
    acts: list[Callable[[Connection], None]] = [keep, lambda connection: end(connection, state)]
    for act in acts if first == "the answer" else acts[::-1]:
        with engine.begin() as connection:
            act(connection)
    with engine.begin() as connection:
        assert kept(connection) == (lines.GONE, "")


def test_what_was_done_under_a_key_that_another_has_taken_since_is_not_remembered_as_theirs(
    engine: Engine,
) -> None:
    minute, later = timedelta(minutes=1), NOW + timedelta(minutes=2)
    with engine.begin() as connection:
        assert answers.claim(connection, "key", "hash", NOW, minute).mine
        other = answers.claim(connection, "key", "another hash", later, minute)
        assert (other.mine, other.received_at) == (True, later)
        keep(connection)
        answers.renew(connection, "key", NOW, later + timedelta(hours=1))
        answers.leave(connection, "key", NOW, later)
        row = connection.execute(select(ANSWERS)).mappings().one()
        assert (row["status"], row["leased_until"]) == (None, later + minute)
        answers.keep(connection, "key", later, 202, {}, BODY, later, timedelta(hours=48))
        keep(connection)
        assert kept(connection) == (202, BODY)


@pytest.mark.parametrize("make", [line, lambda: line(state="ending"), lambda: rental(state="ended")])
def test_any_other_answer_is_remembered_as_it_was(engine: Engine, make: Callable[[], Any]) -> None:
    with engine.begin() as connection:
        have(connection, make)
        keep(connection)
        assert kept(connection) == (201, BODY)


@pytest.mark.rule("COL-7")
@pytest.mark.parametrize("first", ["the answer", "the deletion"])
def test_an_answer_that_names_a_deleted_id_is_gone_and_no_other(engine: Engine, first: str) -> None:
    with engine.begin() as connection:
        have(connection, line)
        answers.claim(connection, "other", "hash", NOW, timedelta(minutes=1), "k-1")
        values = {"contract_id": "k-1", "password_hash": "h", "monthly_cap": None}
        assert (
            passport_ids.add(
                connection, values | {"passport_id": "i-7", "name": "hanako-1"}, NOW, policy.current()
            )
            is None
        )

    def answer(connection: Connection) -> None:
        for key, body in (("key", '{"passport_id": "i-7"}'), ("other", '{"passport_id": "i-8"}')):
            answers.keep(connection, key, NOW, 201, {}, body, NOW, timedelta(hours=48))

    def deletion(connection: Connection) -> None:
        assert passport_ids.remove(connection, "k-1", "i-7", NOW) is None

    for act in (answer, deletion) if first == "the answer" else (deletion, answer):
        with engine.begin() as connection:
            act(connection)
    with engine.begin() as connection:
        rows = connection.execute(select(ANSWERS.c.answer_key, ANSWERS.c.status))
        assert {row.answer_key: row.status for row in rows} == {"key": lines.GONE, "other": 201}


@pytest.mark.rule("COL-7")
def test_an_id_that_is_asked_for_again_after_it_was_deleted_is_not_there_again(engine: Engine) -> None:
    values = {"contract_id": "k-1", "password_hash": "h", "monthly_cap": None}
    values |= {"passport_id": "i-7", "name": "hanako-1"}
    with engine.begin() as connection:
        have(connection, line)
        assert passport_ids.add(connection, values, NOW, policy.current()) is None
        assert passport_ids.remove(connection, "k-1", "i-7", NOW) is None
        with pytest.raises(Gone):
            passport_ids.add(connection, values, NOW, policy.current())
        end(connection, "converted")
        assert passport_ids.of_line(connection, "k-1") == []

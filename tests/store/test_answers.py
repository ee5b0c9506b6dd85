"""Remembered answers of a line that ends: none outlives what it names, whichever of the two comes first (COL-7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from store import answers, lines
from store.changes import facts
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
    answers.keep(connection, "key", 201, {}, BODY, NOW, timedelta(hours=48))


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


@pytest.mark.parametrize("make", [line, lambda: line(state="ending"), lambda: rental(state="ended")])
def test_any_other_answer_is_remembered_as_it_was(engine: Engine, make: Callable[[], Any]) -> None:
    with engine.begin() as connection:
        have(connection, make)
        keep(connection)
        assert kept(connection) == (201, BODY)

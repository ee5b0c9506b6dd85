"""An insert that may be repeated says whether it was the first, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from temporalio.api.failure.v1 import Failure

from gate import CONVERTER
from store.tables import WorkerRow
from store.write import insert, table, upsert

ROWS = table(WorkerRow)
CANARY = "kanaria"
NOW, LATER = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)


def row(name: str, seen_at: datetime = NOW) -> dict[str, Any]:
    return {"worker_id": name, "seen_at": seen_at, "build_id": None}


def test_the_first_insert_counts_and_its_repetition_does_not(engine: Engine) -> None:
    with engine.begin() as connection:
        assert upsert(connection, WorkerRow, [row("a")]) == 1
        assert upsert(connection, WorkerRow, [row("a", LATER)]) == 0
        assert connection.execute(select(ROWS.c.seen_at)).scalar_one() == NOW


async def test_a_fault_does_not_quote_what_was_to_be_written(engine: Engine) -> None:
    """Neither as it is told here, nor as Temporal keeps it: PostgreSQL itself quotes the row that it did not take."""
    with engine.begin() as connection:
        insert(connection, WorkerRow, [row("a")])
    with pytest.raises(IntegrityError) as taken, engine.begin() as connection:
        insert(connection, WorkerRow, [row("a") | {"build_id": CANARY}])
    assert CANARY not in str(taken.value)
    with pytest.raises(IntegrityError) as empty, engine.begin() as connection:
        insert(connection, WorkerRow, [row("b") | {"build_id": CANARY, "seen_at": None}])
    assert (CANARY in str(empty.value)) == (engine.dialect.name == "postgresql")
    failure = Failure()
    await CONVERTER.encode_failure(empty.value, failure)
    assert CANARY.encode() not in failure.SerializeToString()
    assert failure.message == "IntegrityError"
    assert failure.cause.message == type(empty.value.orig).__name__


def test_of_several_rows_only_new_ones_count(engine: Engine) -> None:
    with engine.begin() as connection:
        upsert(connection, WorkerRow, [row("a")])
        assert upsert(connection, WorkerRow, [row("a"), row("b"), row("c")]) == 2


def test_columns_that_may_change_are_changed(engine: Engine) -> None:
    with engine.begin() as connection:
        upsert(connection, WorkerRow, [row("a")])
        assert upsert(connection, WorkerRow, [row("a", LATER)], change=("seen_at",)) == 1
        assert connection.execute(select(ROWS.c.seen_at)).scalar_one() == LATER

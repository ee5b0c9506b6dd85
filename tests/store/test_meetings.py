"""Two writers who meet between two statements of one of them. On PostgreSQL: SQLite lets one in at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from store import statements
from store.sql import only
from tests.rules.cases import POLICY
from tests.store.bills import ALL, bill, billed, charged, close, left, lines, sums
from tests.store.lives import written
from tests.store.test_settlement import credits, owed, paid, run
from tests.store.test_statement_points import member
from tests.workflows.life import in_force

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
FEE = ("monthly_fee", "wifi-50", "2026-04-01", 2800)


@contextmanager
def just_before(engine: Engine, words: str, act: Callable[[], None]) -> Iterator[None]:
    """Somebody else acts before the first statement that begins so."""
    still_to_do = [act]

    def look(_: Any, cursor: Any, statement: str, *more: Any) -> None:
        if still_to_do and statement.startswith(words):
            still_to_do.pop()()

    event.listen(engine, "before_cursor_execute", look)
    yield
    event.remove(engine, "before_cursor_execute", look)
    assert not still_to_do


def until_somebody_waits(engine: Engine, who: Future[Any]) -> None:
    while not who.done():
        with engine.begin() as connection:
            if connection.execute(text("select count(*) from pg_locks where not granted")).scalar_one():
                return
        time.sleep(0.01)


@pytest.mark.rule("BIL-8")
def test_who_is_brought_in_while_a_month_is_closed_has_a_whole_statement(engine: Engine) -> None:
    written(engine, in_force())
    other = in_force(contract_id="k-2", payment_id="pay-2")
    with just_before(engine, "INSERT INTO statement ", lambda: written(engine, other)):
        close(engine, "2026-04")
    assert lines(engine, "2026-04", "k-2") == [FEE]
    assert sums(engine, "2026-04", "k-2") == (2800, 280, 0, 0, 3080)


@pytest.mark.rule("BIL-8")
def test_who_is_brought_in_as_another_is_closed_by_somebody_else_has_a_whole_statement_too(
    engine: Engine,
) -> None:
    written(engine, in_force())
    written(engine, in_force(contract_id="k-2", payment_id="pay-2"))
    late = in_force(contract_id="k-3", payment_id="pay-3")
    with (
        just_before(engine, "UPDATE charge ", lambda: close_one(engine, "k-1")),
        just_before(engine, "INSERT INTO statement ", lambda: written(engine, late)),
    ):
        close(engine, "2026-04")
    assert [lines(engine, "2026-04", name) for name in ("k-1", "k-2", "k-3")] == [[FEE]] * 3
    assert sums(engine, "2026-04", "k-3") == (2800, 280, 0, 0, 3080)


def close_one(engine: Engine, contract_id: str) -> None:
    """By a process of its own, which nobody looks at."""
    own = create_engine(engine.url)
    with own.begin() as connection:
        statements.close(connection, "2026-04", only(contract_id), POLICY)
    own.dispose()


@pytest.mark.rule("BIL-8")
def test_a_charge_that_comes_while_two_runs_meet_stands_on_a_statement(engine: Engine) -> None:
    written(engine, in_force())
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as first:
            statements.chunk(first, "2026-04", *ALL, POLICY)
            charged(engine, date(2026, 4, 20), 1500)
            other = threads.submit(close, engine, "2026-04", between=("a", "~"))
            until_somebody_waits(engine, other)
        assert other.result() == [1]
    close(engine, "2026-05")
    assert lines(engine, "2026-04") == [FEE]
    assert lines(engine, "2026-05")[0] == ("fee", "plan_change", "2026-04-20", 1500)
    assert (billed(engine), left(engine, "2026-04"), left(engine, "2026-05")) == (
        ["2026-04", "2026-05"],
        [],
        [],
    )


@pytest.mark.rule("PNT-6")
@pytest.mark.rule("PNT-10")
def test_month_ends_of_two_months_that_meet_take_points_off_one_bill(engine: Engine) -> None:
    club = member(engine)
    club.exchange("k-1", 250, "2026-07-10 12:00:00")
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as first:
            statements.chunk(first, "2026-08", *ALL, POLICY)
            other = threads.submit(close, engine, "2026-09")
            until_somebody_waits(engine, other)
        other.result()
    assert [bill(engine, month)["points_used"] for month in ("2026-08", "2026-09")] == [250, 0]


@pytest.mark.rule("BIL-3")
def test_a_statement_made_while_others_are_settled_is_not_paid_without_money(engine: Engine) -> None:
    owed(engine, "k-1", "account_transfer")
    with just_before(engine, "UPDATE statement ", lambda: owed(engine, "k-2", "account_transfer")):
        assert run(engine) == 1
    assert paid(engine) == {"k-1": date(2026, 7, 25), "k-2": None}
    assert run(engine) == 2
    assert [row[:2] for row in credits(engine)] == [("k-1", "settlement"), ("k-2", "settlement")]

"""A run that is due and cannot begin yet is told with what is in its way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, update

from bench.filled import fill
from rules.runs import Held, Run
from store import runs
from store.tables import ContractRow
from store.waiting import held
from store.write import table
from tests.rules.cases import POLICY, at
from tests.store.test_runs import DUE, JUNE, done

SETTLED = at("2026-07-25 06:00:00")


def told(engine: Engine, now: datetime = SETTLED) -> dict[str, Held]:
    with engine.begin() as connection:
        return held(connection, now, POLICY)


def test_where_nothing_was_ever_run_nothing_waits(engine: Engine) -> None:
    fill(engine, 1)
    assert told(engine) == {}


def test_a_settlement_waits_for_a_month_end_until_that_is_done_or_waits_for_an_operator(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        runs.begin(connection, JUNE.job, JUNE.period, DUE, DUE, 1)
    waits = Held(period="2026-06", reason="month-end of 2026-06 is not done")
    assert told(engine, at("2026-07-25 05:59:59")) == {"points-mail": waits}, "the settlement is not due yet"
    assert told(engine) == {"points-mail": waits, "settlement": waits}
    with engine.begin() as connection:
        runs.end(connection, JUNE.job, JUNE.period, DUE, {"left": ["k-1"]}, 0)
    assert told(engine) == {}
    done(engine, JUNE, DUE)
    assert told(engine) == {}


def test_a_run_waits_for_the_one_of_the_period_before_and_is_told_no_more_once_it_has_begun(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        runs.begin(connection, JUNE.job, "2026-05", DUE, DUE, 1)
    assert told(engine)["month-end"] == Held(period="2026-06", reason="month-end of 2026-05 is not done")
    done(engine, JUNE, DUE)
    assert "month-end" not in told(engine)


def test_a_run_waits_for_deadlines_that_contracts_have_not_kept(engine: Engine) -> None:
    fill(engine, 1)
    done(engine, Run(job=JUNE.job, period="2026-05"), at("2026-06-01 00:10:00"))
    assert told(engine) == {}
    with engine.begin() as connection:
        connection.execute(update(table(ContractRow)).values(due_at=at("2026-06-30 10:00:00")))
    assert told(engine) == {"month-end": Held(period="2026-06", reason="deadlines of contracts are overdue")}

"""A contract whose own data are in the way is parked with the reason, named, and holds up nobody else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from temporalio.client import ScheduleOverlapPolicy
from temporalio.testing import ActivityEnvironment

import schedules
import worker
from activities.runs import NAMED, Runs
from bench.filled import BEGAN, fill
from rules import jobs, policy
from rules.clock import Clock
from rules.figures import Policy
from rules.runs import Proof, Range, Run
from store import runs as store
from store import settlement
from store.jobs import JOBS, groundwork
from store.ledger import StatementRow
from store.write import table
from tests.rules.cases import at

JUNE = Run(job="month-end", period="2026-06")
DUE = jobs.due_at(policy.load().job(JUNE.job), JUNE.period)
SIZE, NOTHING = 64, None


def poisoned(engine: Engine) -> str:
    """One of the contracts, of which the database takes no statement."""
    with engine.begin() as connection:
        chosen = str(
            connection.execute(
                text(f"select contract_id from contract order by contract_id limit 1 offset {SIZE // 2}")
            ).scalar_one()
        )
        if engine.dialect.name == "postgresql":
            connection.execute(
                text(f"alter table statement add constraint poison check (contract_id <> '{chosen}')")
            )
        else:
            connection.execute(
                text(
                    "create trigger poison before insert on statement"
                    f" when new.contract_id = '{chosen}' begin select raise(abort, 'poison'); end"
                )
            )
    return chosen


def mended(engine: Engine) -> None:
    postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        connection.execute(
            text("alter table statement drop constraint poison" if postgresql else "drop trigger poison")
        )


async def ran(engine: Engine, gate: Any = NOTHING) -> Proof:
    """The run, but for what leaves by mail."""
    nothing: Any = NOTHING
    runs, running = Runs(engine, Clock(), nothing, gate), ActivityEnvironment()
    running.run(runs.begin, JUNE, DUE)
    await running.run(runs.chunks, JUNE, Range())
    return await running.run(runs.prove, JUNE, DUE, 0)


@pytest.mark.rule("BIL-8")
async def test_it_is_parked_and_named_until_it_is_mended_and_the_others_have_theirs(engine: Engine) -> None:
    fill(engine, SIZE)
    chosen = poisoned(engine)
    proof = await ran(engine)
    assert proof.left == [chosen]
    assert proof.result["parked"] == [{"contract_id": chosen, "reason": "IntegrityError"}]
    with engine.begin() as connection:
        assert (
            connection.execute(select(func.count()).select_from(table(StatementRow))).scalar_one() == SIZE - 1
        )
    mended(engine)
    result = {"expected": SIZE, "left": [], "parked": [], "notices": 0}
    assert await ran(engine) == Proof(result=result, done=SIZE)


async def test_of_many_that_are_left_some_are_named_and_all_are_counted(engine: Engine) -> None:
    nothing: Any = NOTHING
    fill(engine, SIZE)
    runs, running = Runs(engine, Clock(), nothing, nothing), ActivityEnvironment()
    running.run(runs.begin, JUNE, DUE)
    assert len((await running.run(runs.prove, JUNE, DUE, 0)).left) == NAMED
    with engine.begin() as connection:
        told = store.of(connection, JUNE.job, JUNE.period)
    assert told and (told.expected, told.done) == (SIZE, 0)


@pytest.mark.rule("BIL-3")
async def test_nobody_settles_a_month_before_its_end_is_proved(engine: Engine) -> None:
    settlement = Run(job="settlement", period=JUNE.period)

    def missing() -> str | None:
        with engine.begin() as connection:
            return groundwork(connection, settlement)

    assert missing() is None, "there is nobody to bill"
    fill(engine, SIZE)
    assert missing() == "month-end"
    nothing: Any = NOTHING
    runs, running = Runs(engine, Clock(), nothing, nothing), ActivityEnvironment()
    running.run(runs.begin, JUNE, DUE)
    await running.run(runs.chunks, JUNE, Range())
    assert missing() == "month-end", "it has not been proved"
    await running.run(runs.prove, JUNE, DUE, 0)
    assert missing() is None
    with engine.begin() as connection:
        connection.execute(
            text("delete from statement_line where contract_id = (select min(contract_id) from contract)")
        )
    assert missing() == "month-end", "somebody's statement is wrong"


@pytest.mark.rule("BIL-3")
async def test_whom_a_month_end_parked_holds_up_nobody_elses_settlement_and_is_settled_once_mended(
    engine: Engine,
) -> None:
    fill(engine, SIZE)
    begins: Any = Begins()
    settled = Run(job="settlement", period=JUNE.period)
    chosen = poisoned(engine)
    await ran(engine, begins)
    with engine.begin() as connection:
        assert groundwork(connection, settled) is None
        store.begin(connection, settled.job, settled.period, DUE, DUE, SIZE)
        connection.execute(update(table(StatementRow)).values(paid_on=DUE.date()))
        store.end(connection, settled.job, settled.period, DUE, {}, SIZE)
    await ran(engine, begins)
    assert begins.begun == [], "it is parked still"
    mended(engine)
    assert (await ran(engine, begins)).left == []
    assert begins.begun == [settled]
    with engine.begin() as connection:
        assert JOBS[settled.job].left(connection, settled.period, policy.load(), SIZE) == [chosen]


@pytest.mark.rule("PNT-8")
@pytest.mark.parametrize("job", ["points-mail", "points-warning"])
async def test_nobody_is_told_of_points_before_month_end_has_returned_what_no_bill_took(
    engine: Engine, job: str
) -> None:
    fill(engine, SIZE)
    with engine.begin() as connection:
        JOBS["points-grant"].chunk(connection, JUNE.period, "", "~", policy.load())
        assert groundwork(connection, Run(job=job, period=JUNE.period)) == "month-end"
    await ran(engine, Begins())
    with engine.begin() as connection:
        assert groundwork(connection, Run(job=job, period=JUNE.period)) is None


class Begins:
    """In the place of the way to the engine: which runs somebody has begun."""

    def __init__(self) -> None:
        self.begun: list[Run] = []

    async def begin_run(self, run: Run) -> None:
        self.begun.append(run)


@pytest.mark.rule("BIL-3")
async def test_a_settlement_that_was_done_is_begun_again_for_whoever_was_brought_in_since(
    engine: Engine,
) -> None:
    fill(engine, SIZE)
    begins: Any = Begins()
    settled = Run(job="settlement", period=JUNE.period)
    await ran(engine, begins)
    assert begins.begun == [], "it is not due yet"
    with engine.begin() as connection:
        store.begin(connection, settled.job, settled.period, DUE, DUE, SIZE)
        settlement.chunk(connection, JUNE.period, "", "~", policy.load())
        store.end(connection, settled.job, settled.period, DUE, {}, SIZE)
    await ran(engine, begins)
    assert begins.begun == [], "nothing is left of it"
    with engine.begin() as connection:
        connection.execute(update(table(StatementRow)).values(paid_on=None))
    await ran(engine, begins)
    assert begins.begun == [settled]


@pytest.mark.rule("BIL-3")
async def test_a_run_whose_day_a_policy_moves_into_the_past_is_begun_by_the_next_worker(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = policy.load()
    moved = [j.model_copy(update={"day": 20}) if j.job == "settlement" else j for j in figures.jobs]
    new, now = figures.model_copy(update={"jobs": moved}), at("2026-07-22 12:00:00")

    async def begun(by: Policy) -> list[Run]:
        begins: Any = Begins()
        monkeypatch.setattr(policy, "current", lambda: by)
        await worker.begin_overdue(engine, begins, now)
        return list(begins.begun)

    assert await begun(new) == [], "nothing was ever run here"
    for period in ("2026-05", "2026-06"):
        done(engine, Run(job="month-end", period=period), now)
    done(engine, Run(job="settlement", period="2026-05"), now)
    assert await begun(figures) == []
    assert await begun(new) == [Run(job="settlement", period="2026-06")]
    done(engine, Run(job="settlement", period="2026-06"), now)
    assert await begun(new) == []


@pytest.mark.rule("BIL-8")
async def test_a_run_waits_for_the_one_before_it_but_not_for_one_that_waits_for_an_operator(
    engine: Engine,
) -> None:
    begins: Any = Begins()
    nothing: Any = NOTHING
    runs, now = Runs(engine, Clock(), nothing, begins), at("2026-08-02 12:00:00")
    april, may, july = (Run(job=JUNE.job, period=f"2026-{month}") for month in ("04", "05", "07"))

    async def why(run: Run) -> str:
        return str((await ActivityEnvironment().run(runs.ready, run, now)).why)

    assert await why(july) == "", "there was none before"
    done(engine, Run(job=JUNE.job, period="2019-04"), now)
    assert await why(july) == "", "of so long ago none is missing"
    done(engine, may, now)
    assert await why(july) == "month-end of 2026-06 is not done"
    assert begins.begun == [JUNE]
    with engine.begin() as connection:
        store.begin(connection, JUNE.job, JUNE.period, now, now, 1)
    assert await why(july) == "month-end of 2026-06 is not done"
    assert [await why(april), await why(may), await why(JUNE), begins.begun] == ["", "", "", [JUNE]]
    with engine.begin() as connection:
        store.end(connection, JUNE.job, JUNE.period, now, {"left": ["k-1"]}, 0)
    assert await why(july) == ""


def test_schedules_begin_each_run_whatever_became_of_the_one_before() -> None:
    for job in policy.load().jobs:
        assert schedules.schedule(job, "queue").policy.overlap == ScheduleOverlapPolicy.ALLOW_ALL


def test_an_older_period_that_is_run_once_more_is_the_one_that_is_told(engine: Engine) -> None:
    may = Run(job=JUNE.job, period="2026-05")
    for run, day in ((may, 1), (JUNE, 2), (may, 3)):
        done(engine, run, at(f"2026-07-0{day} 12:00:00"))
        with engine.begin() as connection:
            told = store.latest(connection)[JUNE.job]
        assert (told.period, told.started_at.day) == (run.period, day)


def test_a_run_of_a_period_before_the_first_contract_makes_none_due_of_the_time_between(
    engine: Engine,
) -> None:
    def began() -> datetime | None:
        with engine.begin() as connection:
            return store.calendar_began(connection)

    done(engine, Run(job=JUNE.job, period="1900-01"), at("2026-07-01 12:00:00"))
    assert began() is None, "there is nobody yet"
    fill(engine, SIZE)
    assert began() == BEGAN
    done(engine, JUNE, at("2026-07-01 12:00:00"))
    assert began() == DUE


def done(engine: Engine, run: Run, now: datetime) -> None:
    with engine.begin() as connection:
        due = jobs.due_at(policy.load().job(run.job), run.period)
        store.begin(connection, run.job, run.period, due, now, 1)
        store.end(connection, run.job, run.period, now, {}, 1)

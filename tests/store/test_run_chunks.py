"""The chunks of a run over all contracts: what they deal with, and what they count."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from temporalio.testing import ActivityEnvironment

from activities.runs import Runs
from bench.filled import fill
from rules import policy
from rules.clock import Clock
from rules.figures import Policy
from rules.runs import Range, Reached, Run
from store import runs as store
from store.tables import ContractRow
from store.write import table
from tests.store.test_runs import DUE, JUNE, NOTHING, SIZE

LATER = {"points-grant": "2026-06", "points-mail": "2026-06", "points-warning": "2027-12"}
IN_ORDER = [
    JUNE,
    Run(job="settlement", period=JUNE.period),
    *(Run(job=job, period=period) for job, period in LATER.items()),
    Run(job="fiscal-year", period="FY2027"),
]


def test_what_is_done_is_counted_as_what_is_expected_chunk_by_chunk_and_on_a_run_done_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line has two lots that lapse, so whoever counts lots counts too many."""
    fill(engine, SIZE)
    figures = in_chunks_of(20)
    monkeypatch.setattr(policy, "current", lambda: figures)
    nothing: Any = NOTHING
    runs = Runs(engine, Clock(), nothing, nothing)
    for period in ("2026-01", "2026-02"):
        counts(runs, Run(job="points-grant", period=period))
    assert {(run.job, *counts(runs, run)) for run in IN_ORDER * 2} == {
        (run.job, SIZE, 20, 40, 60, 64) for run in IN_ORDER
    }


def in_chunks_of(size: int) -> Policy:
    figures = policy.load()
    return figures.model_copy(
        update={"runs": figures.runs.model_copy(update={"contracts_per_chunk": size, "streams": 1})}
    )


def counts(runs: Runs, run: Run) -> list[int]:
    """How many are expected, and how many the run has dealt with after each chunk, as it is told."""
    plan, reached, told = ActivityEnvironment().run(runs.begin, run, DUE), Reached(last=""), []
    while reached.last is not None:
        reached = runs.chunk(run, reached, plan.ranges[0].until)
        with runs._engine.begin() as connection:
            known = store.of(connection, run.job, run.period)
        assert known and known.done == reached.done
        told.append(reached.done)
    return [plan.expected, *told]


@pytest.mark.parametrize(
    ("streams", "least", "sizes"),
    [(1, 1, [64]), (4, 1, [17, 16, 16, 15]), (3, 21, [22, 21, 21]), (4, 22, [33, 31]), (4, 33, [64])],
)
def test_streams_share_all_contracts_where_each_has_enough_to_do(
    engine: Engine, streams: int, least: int, sizes: list[int]
) -> None:
    fill(engine, SIZE)
    rows = table(ContractRow).c.contract_id
    with engine.begin() as connection:
        parts = store.ranges(connection, streams, least)
        found = [
            connection.execute(select(func.count()).where(rows > part.after, rows <= part.until)).scalar_one()
            for part in parts
        ]
    assert found == sizes


def test_there_is_no_chunk_after_the_last(engine: Engine) -> None:
    fill(engine, SIZE)
    with engine.begin() as connection:
        ends = [store.chunk_end(connection, Range().after, Range().until, size) for size in (63, 64, 65)]
    assert [end is None for end in ends] == [False, True, True]

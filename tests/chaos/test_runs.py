"""A run over all contracts that is killed again and again comes to what an undisturbed one comes to, row by row."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bench.filled import fill
from rules import policy
from store.database import connect
from store.jobs import JOBS
from store.ledger import CreditRow, PointRow, RunRow, StatementLineRow, StatementRow
from store.migrate import upgrade
from store.tables import DeliveryRow
from store.write import table
from tests.chaos.run_job import begun
from tests.database import DATABASES, Postgres

SIZE = 1000
KILLS = int(os.environ.get("KEIYAKU_TEST_RUN_KILLS", "3"))
"""Of each run, on each database. CI kills a few times; fifty times each were seen to come to the same."""

RUNS = [
    ("month-end", "2023-06"),
    ("settlement", "2023-06"),
    ("points-grant", "2023-06"),
    ("points-mail", "2023-06"),
    ("points-warning", "2025-12"),
    ("fiscal-year", "FY2025"),
]
WRITTEN = (StatementRow, StatementLineRow, CreditRow, PointRow, DeliveryRow, RunRow)
Done = dict[str, list[str]]


@pytest.fixture(params=DATABASES)
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A filled database of each kind, by name."""

    def make(name: str) -> str:
        made = f"sqlite:///{tmp_path}/{name}.db"
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres_server")
            made = server.new_database()
        filled(made)
        return made

    return make


def filled(url: str) -> None:
    upgrade(url)
    engine = connect(url)
    fill(engine, SIZE)
    engine.dispose()


@pytest.mark.timeout(900)
@pytest.mark.rule("BIL-8", "PNT-10")
def test_killed_at_any_moment_every_run_comes_to_the_same(
    new: Callable[[str], str], chance: random.Random
) -> None:
    undisturbed, url = new("undisturbed"), new("killed")
    for job, period in RUNS:
        whole = seconds(partial(ended, undisturbed, job, period))
        for _ in range(KILLS):
            killed(url, job, period, chance.uniform(0, whole))
        ended(url, job, period)
        assert written(url) == written(undisturbed), f"{job} {period}"
        with connect(url).begin() as connection:
            assert JOBS[job].left(connection, period, policy.load(), 1) == []


def killed(url: str, job: str, period: str, after: float) -> None:
    """As `kill -9` does it."""
    process = begun(url, job, period)
    time.sleep(after)
    process.kill()
    process.join()


def ended(url: str, job: str, period: str) -> None:
    process = begun(url, job, period)
    process.join()
    assert process.exitcode == 0


def seconds(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def written(url: str) -> Done:
    """Everything that runs write, row by row, as it reads on either database."""
    engine = connect(url)
    with engine.begin() as connection:
        found = {
            str(row.__tablename__): sorted(
                str(dict(one)) for one in connection.execute(select(table(row))).mappings()
            )
            for row in WRITTEN
        }
    engine.dispose()
    return found

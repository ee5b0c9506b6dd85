"""Lines live for three years at random: the service's own logic and store against a small book of the rules.

KEIYAKU_TEST_LIVES says how many lives.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from rules.jobs import due_between
from store.database import connect
from store.ledger import RunRow
from store.migrate import upgrade
from store.write import insert
from tests.properties.agreement import BEGINS
from tests.properties.edges import Edges
from tests.rules.cases import POLICY

LIVES = int(os.environ.get("KEIYAKU_TEST_LIVES", "5"))
YEARS = timedelta(days=3 * 366)


class Lines(Edges):
    """Everything that customers, operators, providers and the calendar can do to a line, at random."""

    def teardown(self) -> None:
        """Whatever is left of the three years: a purchase, and a number, a month; then what chance seldom does."""
        try:
            while self.now < BEGINS + YEARS:
                self.time_passes(27 * 24, 0, True)
                self.pays_everything()
                self.buys(0, 1000, True, True)
                self.exchanges_points(100, True, False)
                self.looks_at_points()
                self.asks("conversion", 0)
                self.what_holds()
            self.what_chance_seldom_does()
        finally:
            self.engine.dispose()
            shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database with nothing in it, in which month ends are done: `test_statements.py` has them, and `test_points.py`."""
    file = tmp_path_factory.mktemp("lines") / "empty.db"
    upgrade(f"sqlite:///{file}")
    engine, years = connect(f"sqlite:///{file}"), timedelta(days=15 * 366)
    with engine.begin() as connection:
        for due in due_between(BEGINS, BEGINS + years, POLICY):
            row = {
                "job": due.job,
                "period": due.period,
                "state": "done",
                "due_at": due.at,
                "started_at": due.at,
            }
            if due.job == "month-end":
                insert(connection, RunRow, [row | {"expected": 0, "done": 0}])
    engine.dispose()
    yield file


@pytest.mark.rule("MAT-3", "MAT-4", "MAT-5", "MAT-7", "MAT-8", "MAT-9", "MAT-10", "LIN-3", "LIN-4", "BIL-3")
@pytest.mark.rule("COL-1", "COL-2", "COL-3", "COL-4", "COL-6", "CAL-4", "IDN-2")
@pytest.mark.rule("PNT-1", "PNT-2", "PNT-3", "PNT-4", "PNT-5", "PNT-6", "PNT-7", "PNT-9", "PNT-10")
def test_whatever_is_asked_for_over_three_years_a_line_stays_within_the_rules(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lines, "empty", empty, raising=False)
    slow = list(HealthCheck)
    run_state_machine_as_test(
        Lines,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=90,
            derandomize=True,
            deadline=None,
            suppress_health_check=slow,
        ),
    )

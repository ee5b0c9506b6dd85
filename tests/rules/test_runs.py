"""How far a run over all contracts is, and how fast."""

from __future__ import annotations

from rules.runs import Pace, pace


def test_a_run_tells_its_rate_and_how_long_the_rest_takes_at_that() -> None:
    assert pace(6000, 2000, 40.0) == Pace(done=2000, left=4000, rate=50.0, estimate=80.0)


def test_no_more_is_done_than_is_expected() -> None:
    assert pace(60, 720, 10.0) == Pace(done=60, left=0, rate=6.0, estimate=0.0)


def test_before_anything_is_done_nobody_can_tell_how_long_it_takes() -> None:
    assert pace(60, 0, 0.0) == Pace(done=0, left=60)
    assert pace(60, 0, 10.0) == Pace(done=0, left=60, rate=0.0)

from datetime import UTC, datetime, timedelta

import pytest

from rules.calendar import JST
from rules.clock import Clock

EPOCH = datetime(2026, 6, 1, tzinfo=JST)


@pytest.mark.rule("CAL-3")
def test_business_time_is_the_engine_s_told_in_japan() -> None:
    assert Clock().business(datetime(2026, 6, 30, 15, tzinfo=UTC)).isoformat() == "2026-07-01T00:00:00+09:00"


@pytest.mark.rule("CAL-3")
def test_a_fast_clock_is_linear_so_that_replaying_gives_the_same_instants() -> None:
    clock = Clock(speed=3600, epoch=EPOCH)
    assert clock.business(EPOCH) == EPOCH
    assert clock.business(EPOCH + timedelta(seconds=24)) == EPOCH + timedelta(days=1)


def test_waiting_is_shorter_by_the_speed_and_never_negative() -> None:
    assert Clock(speed=3600, epoch=EPOCH).wait(timedelta(days=1)) == timedelta(seconds=24)
    assert Clock().wait(timedelta(seconds=-5)) == timedelta(0)

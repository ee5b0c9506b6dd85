"""The clock of the workflow engine, the only one that a decision is judged by (CAL-3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow

from rules.clock import Clock

_clock = [Clock()]


def use(clock: Clock) -> None:
    """Called once, at the worker's start; the same for the whole life of a data folder, or replays would differ."""
    _clock[0] = clock


def now() -> datetime:
    """Business time, in Japan, of the present workflow task."""
    return _clock[0].business(workflow.now())


def wait(until: datetime) -> timedelta:
    """How long the engine has to wait for the business instant `until`."""
    return _clock[0].wait(until - now())

"""The clock of the workflow engine, the only one that a decision is judged by (CAL-3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from rules.clock import Clock

_clock, _skips_time = [Clock()], [False]


def use(clock: Clock, skips_time: bool = False) -> None:
    """Called once, at the worker's start; the same for the whole life of a data folder, or replays would differ."""
    _clock[0], _skips_time[0] = clock, skips_time


def now() -> datetime:
    """Business time, in Japan, of the present workflow task."""
    return _clock[0].business(workflow.now())


def wait(until: datetime) -> timedelta:
    """How long the engine has to wait for the business instant `until`."""
    return _clock[0].wait(until - now())


async def wait_for(met: Callable[[], bool], until: datetime | None, why: str) -> None:
    """Wait until `met`. TimeoutError where the business instant `until` comes first; operators see in `why` what for."""
    if _skips_time[0] and until:
        await _wait_beside_timer(met, wait(until), why)
    else:
        await workflow.wait_condition(met, timeout=wait(until) if until else None, timeout_summary=why)


async def _wait_beside_timer(met: Callable[[], bool], within: timedelta, why: str) -> None:
    """The same without taking the timer back.

    The time-skipping server never goes on with a workflow that takes back a timer which rings at that moment (sdk-java
    issue 3088), nor moves its clock again. A timer that rings for nobody does no harm.
    """
    timer = asyncio.create_task(workflow.sleep(within, summary=why))
    await workflow.wait_condition(lambda: met() or timer.done())
    if not met():
        raise TimeoutError

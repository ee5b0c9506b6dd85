"""Two ways to put calls on a server: as fast as it takes them, and at a rate of one's own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

from bench.kinds import Call

AT_ONCE = 32
"""Callers of a closed loop: enough that the server is never idle."""


async def closed(calls: Sequence[Call]) -> float:
    """All calls, so many at a time. Returns calls a second."""
    waiting = iter(calls)

    async def caller() -> None:
        for call in waiting:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return len(calls) / (time.perf_counter() - began)


async def at_rate(calls: Sequence[Call], rate: float, seed: int) -> list[float]:
    """Calls that come at random, `rate` a second, whether or not those before were answered.

    Returns the seconds that each took from when it was due.
    """
    chance, tasks, due = random.Random(seed), [], time.perf_counter()
    for call in calls:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(timed(call, due)))
    return list(await asyncio.gather(*tasks))


async def timed(call: Call, due: float) -> float:
    """Seconds from when it was due."""
    answer: Any = await call()
    del answer
    return time.perf_counter() - due

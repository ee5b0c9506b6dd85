"""Whoever waits for a run over all contracts hears of its end, whichever that is."""

from __future__ import annotations

import asyncio

import pytest

from gate import Gate, Unavailable
from rules.runs import Run
from tests.activities.world import OutsideWorld


async def test_a_run_that_somebody_ends_is_not_done(outside: OutsideWorld) -> None:
    run = Run(job="month-end", period="2026-04")
    gate = Gate(outside.client, "where nobody works")
    begun, waiting = await gate.begin_run(run), asyncio.create_task(gate.run(run))
    await asyncio.wait([waiting], timeout=0.5)
    await begun.terminate("by mistake")
    with pytest.raises(Unavailable):
        await waiting

"""Whoever waits for a run over all contracts hears of its end, whichever that is."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from temporalio.service import RPCError

from gate import Gate, Unavailable, run_id
from rules.runs import Run
from tests.activities.world import OutsideWorld


async def test_a_run_that_somebody_ends_is_not_done(outside: OutsideWorld) -> None:
    run = Run(job="month-end", period="2026-04")
    gate = Gate(outside.client, "where nobody works")
    await gate.begin_run(run)
    waiting = asyncio.create_task(gate.run(run))
    while not waiting.done():
        # Ended before anybody waited it would begin anew: then that one is ended.
        await asyncio.wait([waiting], timeout=0.5)
        with suppress(RPCError):
            await outside.client.get_workflow_handle(run_id(run)).terminate("by mistake")
    with pytest.raises(Unavailable):
        await waiting

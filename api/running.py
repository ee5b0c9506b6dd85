"""Having a run over all contracts done, and waiting for what comes of it."""

from __future__ import annotations

import asyncio
from typing import Any

from api.service import Service
from rules.runs import Run
from store import runs

LOOK_SECONDS = 0.2


async def outcome(found: Service, asked: Run, by: str = "calendar") -> dict[str, Any]:
    """The result of the run once it is done, or once it waits for an operator (`left` is not empty then).

    Raises Unavailable.
    """
    before = await found.read(lambda c: runs.of(c, asked.job, asked.period))
    if before and before.state == "waiting":
        await found.gate.go_on(asked)
    done = asyncio.create_task(found.gate.run(asked, by))
    try:
        while not done.done():
            await asyncio.wait([done], timeout=LOOK_SECONDS)
            now = await found.read(lambda c: runs.of(c, asked.job, asked.period))
            again = before is None or (now is not None and now.started_at > before.started_at)
            if not done.done() and now and again and now.state == "waiting" and now.result:
                return now.result
        return await done
    finally:
        done.cancel()

"""Where no Temporal Schedule can say when (the clock can be moved, or runs faster), the API has the runs done in their turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from api import running
from api.problems import PART_DOWN
from api.service import Service
from rules import jobs, policy
from rules.jobs import Due
from rules.runs import Run
from store import runs

LOOK_SECONDS = 0.5


class Calendar:
    """Invariant: runs are done one after the other in the order of their dates, none left out."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._began: datetime | None = None
        self._done_until: datetime | None = None

    async def keep(self, moving: asyncio.Lock) -> None:
        """Have done what falls due while nobody moves the clock."""
        while True:
            with suppress(*PART_DOWN):
                async with moving:
                    await self._service.clock.refresh()
                    await self.next_run(self._service.now())
            await asyncio.sleep(LOOK_SECONDS)

    async def next_run(self, now: datetime) -> datetime | None:
        """When the next run is due; None where some were by `now`, and by now are done or wait for an operator.

        One instant decides both: between two looks at the clock a run may fall that is neither due nor still to come.
        """
        found = await self._owed(now)
        for due in found:
            await running.outcome(self._service, Run(job=due.job, period=due.period))
            self._done_until = due.at
        return None if found else min(jobs.next_due(job, now).at for job in policy.current().jobs)

    def look_again(self) -> None:
        """Whoever was brought in meanwhile may have been counted here for longer than anybody before."""
        self._began = None

    async def _owed(self, now: datetime) -> list[Due]:
        since = self._done_until or self._began
        if since is None:
            since = self._began = await self._service.read(runs.calendar_began)
        if since is None:
            return []  # nobody has applied for anything yet
        return jobs.due_between(since, now, policy.current())

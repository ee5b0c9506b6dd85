"""The parts of one service, each a process that can be killed and started again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from embedded import plan
from embedded.part import Child, start
from store.migrate import upgrade
from tests.chaos.forking import Forked, Forks


class Parts:
    """Started by the same commands as `keiyaku up` starts them. What ends by itself, as another part is down, comes back."""

    def __init__(self, what: plan.Plan, instead: Mapping[str, tuple[str, ...]], forks: Forks) -> None:
        self.plan, self.settings = what, what.settings
        planned = [part for stage in what.stages for part in stage]
        self.parts = {p.name: replace(p, command=instead.get(p.name, p.command)) for p in planned}
        self.running: dict[str, Child | Forked] = {}
        self.forks = forks
        self.kills = 0
        self.down: set[str] = set()
        self.changing = asyncio.Lock()

    async def start(self, name: str) -> None:
        """Unless it came back by itself."""
        async with self.changing:
            if name not in self.running or self.running[name].ended.done():
                await self._start(name)

    async def _start(self, name: str) -> None:
        part = self.parts[name]
        self.running[name] = await (self.forks.start if self.forks.can(part) else start)(part)
        self.down.discard(name)

    async def come_back(self) -> None:
        """As `restart: unless-stopped` does it; what was killed stays down until it is started."""
        while True:
            async with self.changing:
                for name in self.running.keys() - self.down:
                    if self.running[name].ended.done():
                        await self._start(name)
            await asyncio.sleep(0.2)

    def change(self, name: str, **env: str) -> None:
        """It starts with other settings from now on."""
        part = self.parts[name]
        self.parts[name] = replace(part, env=dict(part.env) | env)

    async def ready(self, name: str) -> None:
        """Until it works. Where it does not come to that, what it said last says why."""
        deadline = asyncio.get_running_loop().time() + 60
        while why := await self.parts[name].ready():
            log = self.parts[name].log
            said = log.read_text()[-1000:] if log.exists() else ""
            assert asyncio.get_running_loop().time() < deadline, f"{name}: {why}; {said}"
            await asyncio.sleep(0.05)

    async def kill(self, name: str) -> None:
        """As `kill -9` does it. It stays down until it is started."""
        async with self.changing:
            self.down.add(name)
            self.running[name].kill()
            await self.running[name].ended
        self.kills += 1

    def pid(self, name: str) -> int:
        return self.running[name].pid


def planned(data: Path, speed: int = 1, now: datetime | None = None) -> plan.Plan:
    """What `keiyaku up --data DATA --port 0 --speed SPEED` would start; its business time begins about `now`."""
    data.mkdir(parents=True, exist_ok=True)
    if speed != 1 and now is not None:
        plan.keep_clock(data, now, speed)
    options = plan.Options(data=data, port=0, speed=speed)
    return plan.make(options, plan.own_settings(options))


@asynccontextmanager
async def parts(what: plan.Plan, forks: Forks, **instead: tuple[str, ...]) -> AsyncIterator[Parts]:
    """All of them running, some by another command; whatever the test did, none is left afterwards."""
    await asyncio.to_thread(upgrade, what.settings.database_url)
    made, coming_back = Parts(what, instead, forks), None
    try:
        for stage in what.stages:
            for part in stage:
                await made.start(part.name)
            for part in stage:
                await made.ready(part.name)
        coming_back = asyncio.create_task(made.come_back())
        yield made
    finally:
        if coming_back:
            coming_back.cancel()
            await asyncio.gather(coming_back, return_exceptions=True)
        for child in made.running.values():
            child.kill()
            await child.ended

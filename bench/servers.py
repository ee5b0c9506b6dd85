"""The servers of a run: the parts of `keiyaku up` without its API, and a worker for the bare workflow beside them."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TypeVar

from embedded import plan, ports
from embedded.part import Part, answers
from embedded.plan import Options
from embedded.supervisor import Supervisor
from rules.calendar import JST, day_of, first_of_month
from settings import PREFIX, Settings
from store.migrate import upgrade

SPEED = 2
Say = Callable[[str], None]
T = TypeVar("T")


async def with_servers(work: Callable[[Settings], Awaitable[None]], say: Say) -> None:
    """Start everything in a folder of its own, do `work`, stop everything. Raises Problem, and Stopped after Ctrl-C."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="keiyaku-bench-", ignore_cleanup_errors=True) as folder:
        _early_in_a_month(Path(folder))
        options = Options(data=Path(folder), host="127.0.0.1", port=0, speed=SPEED)
        made = plan.make(options, plan.own_settings(options))
        contracts = next(part for stage in made.stages for part in stage if part.name == "worker")
        async with Supervisor(lambda _: None) as supervisor:
            say("Making the database …")
            await supervisor.meanwhile(asyncio.to_thread(upgrade, made.settings.database_url))
            say("Starting Temporal …")
            await supervisor.begin(made.stages[0])
            say("Starting the workers …")
            await supervisor.begin((contracts,))
            await supervisor.begin((_bare(contracts),))
            await supervisor.meanwhile(_awaited(work(made.settings)))


async def with_service(url: str, data: Path, work: Callable[[plan.Plan], Awaitable[T]], speed: int = 1) -> T:
    """All parts of `keiyaku up` on a database, while `work` is done. Raises Problem, and Stopped after Ctrl-C."""
    os.environ[f"{PREFIX}DATABASE_URL"] = url
    options = Options(data=data, host="127.0.0.1", port=0, speed=speed)
    made, found = plan.make(options, plan.own_settings(options)), list[T]()

    async def working() -> None:
        found.append(await work(made))

    async with Supervisor(lambda _: None) as supervisor:
        for stage in made.stages:
            await supervisor.begin(stage)
        await supervisor.meanwhile(working())
    return found[0]


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _bare(contracts: Part) -> Part:
    port = ports.any_free()
    return replace(
        contracts,
        name="bare",
        title="The worker of the bare workflow",
        command=(sys.executable, "-P", "-m", "bench.worker"),
        env={**contracts.env, f"{PREFIX}METRICS_PORT": str(port)},
        log=contracts.log.with_name("bare.log"),
        ready=answers(f"http://127.0.0.1:{port}/metrics", 'poller_type="workflow_task"'),
    )


def _early_in_a_month(folder: Path) -> None:
    """Plan changes are taken until the 15th only (RNT-3): a business clock that says the 2nd, whatever day it is."""
    now = datetime.now(UTC)
    wanted = datetime.combine(first_of_month(day_of(now), 1).replace(day=2), time(9), JST)
    plan.keep_clock(folder, wanted, SPEED)

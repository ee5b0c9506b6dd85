"""A whole service of the demo's own: `keiyaku up --test-clock` in a folder that is gone afterwards."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from embedded import plan
from embedded.plan import Options, Plan
from embedded.supervisor import Supervisor
from settings import PREFIX
from store.migrate import upgrade

Say = Callable[[str], None]


async def with_service(work: Callable[[Plan], Awaitable[None]], say: Say) -> None:
    """Start everything, do `work`, stop everything. Raises Problem, and Stopped after Ctrl-C."""
    _forget_settings()
    with tempfile.TemporaryDirectory(prefix="keiyaku-demo-", ignore_cleanup_errors=True) as folder:
        options = Options(data=Path(folder), host="127.0.0.1", port=0, test_clock=True)
        made = plan.make(options, plan.own_settings(options))
        async with Supervisor(say) as supervisor:
            say("Making the database …")
            await supervisor.meanwhile(asyncio.to_thread(upgrade, made.settings.database_url))
            say("Starting Temporal with a clock that can be moved …")
            await supervisor.begin(made.stages[0])
            say("Starting the worker and the API …")
            await supervisor.begin(made.stages[1])
            await supervisor.meanwhile(_awaited(work(made)))


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _forget_settings() -> None:
    """Whatever is configured for a real service: the demo must not touch its database or its mail server."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]

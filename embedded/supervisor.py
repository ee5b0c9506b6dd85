"""Starts parts, watches them, stops them in the opposite order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from embedded.part import Child, Part, start
from embedded.problem import Problem

_ASK_AGAIN = 0.1


class Stopped(Exception):
    """Somebody asked for the end."""


class Supervisor:
    """Runs until it is asked to stop or a part dies. Leaves no process behind either way."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._stop = asyncio.Event()
        self._stop_seen = asyncio.create_task(self._stop.wait())

    async def __aenter__(self) -> Supervisor:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._children:
            self._say("Stopping …")
        while self._children:
            await self._children[-1].stop()
            self._children.pop()
        self._stop_seen.cancel()

    async def begin(self, stage: Sequence[Part]) -> None:
        """Starts these parts and waits until each works. Raises Problem or Stopped."""
        for part in stage:
            self._children.append(await start(part))
        for part in stage:
            await self.meanwhile(_wait_for(part))

    async def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Does some work unless a part dies (Problem) or the end is asked for (Stopped)."""
        task = asyncio.create_task(work)
        try:
            await self._first_of(task)
            await task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def watch(self) -> None:
        """Returns never: raises Problem when a part dies, Stopped when the end is asked for."""
        while True:
            await self._first_of()

    def pids(self) -> dict[str, int]:
        """The process of each part."""
        return {child.part.name: child.pid for child in self._children}

    async def _first_of(self, *tasks: asyncio.Task[Any]) -> None:
        ends = [child.ended for child in self._children]
        await asyncio.wait([*tasks, self._stop_seen, *ends], return_when=asyncio.FIRST_COMPLETED)
        if self._stop.is_set():
            raise Stopped
        for child in self._children:
            if child.ended.done():
                raise Problem(f"{child.epitaph()} Everything else was stopped too.")

    def _on_signal(self) -> None:
        if self._stop.is_set():  # asked twice: no more patience
            for child in self._children:
                child.kill()
        self._stop.set()


async def _wait_for(part: Part) -> None:
    why: str | None = "it has not started"
    try:
        async with asyncio.timeout(part.ready_within):
            while why := await part.ready():  # noqa: ASYNC110
                await asyncio.sleep(_ASK_AGAIN)  # another process sets no event of ours
    except TimeoutError:
        raise Problem(
            f"{part.title} was not ready after {part.ready_within:.0f} seconds: {why} (see {part.log})."
        ) from None

"""Parts that are forked are those that were asked for, and end when they are killed, at whatever moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from embedded.part import Part
from tests.chaos.forking import Forks
from tests.chaos.waiting import comes_to

SERVER = (sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1")


def part(folder: Path, name: str) -> Part:
    return Part(name, name, SERVER, dict(os.environ), folder / f"{name}.log", ready)


async def ready() -> None:
    """Nobody asks."""


def written_to(pid: int) -> str:
    """The log of a process, as soon as it has one."""
    with suppress(FileNotFoundError):
        return str(Path(f"/proc/{pid}/fd/1").readlink())
    return ""


async def test_several_that_begin_at_once_are_each_their_own(warm: Forks, tmp_path: Path) -> None:
    asked = [part(tmp_path, f"part-{number}") for number in range(8)]
    begun = await asyncio.gather(*(warm.start(one) for one in asked))
    for one, forked in zip(asked, begun, strict=True):
        await comes_to(str(one.log), partial(asyncio.to_thread, written_to, forked.pid))
        forked.kill()
        assert await forked.ended == -signal.SIGKILL


async def test_one_that_is_killed_as_it_begins_ends(warm: Forks, tmp_path: Path) -> None:
    for _ in range(30):
        forked = await warm.start(part(tmp_path, "part"))
        forked.kill()
        async with asyncio.timeout(60):
            assert await forked.ended == -signal.SIGKILL

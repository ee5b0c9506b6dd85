"""Parts that begin in a moment: forked from a process that has imported everything and started nothing.

Most of what it takes to begin an API or a worker is importing. Whoever kills one hundreds of times waits for that only once.
What is forked runs the same command, in a session of its own, and is killed like any other process.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from embedded import part
from embedded.part import Part

TICK = 0.02
WORDS = ("-P", "-m", "cli")


class Forked:
    """What `embedded.part.Child` is for a part that was started cold."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Forks:
    """Has parts forked, and hears of their end."""

    def __init__(self, parent: asyncio.subprocess.Process) -> None:
        self._parent, self._begun, self._running = parent, asyncio.Queue[int](), dict[int, Forked]()

    def can(self, what: Part) -> bool:
        return what.command[1:4] == WORDS

    async def start(self, what: Part) -> Forked:
        assert self._parent.stdin
        what.log.parent.mkdir(exist_ok=True)
        told = {"words": what.command[4:], "env": dict(what.env), "log": str(what.log)}
        self._parent.stdin.write(json.dumps(told).encode() + b"\n")
        return self._running[await self._begun.get()]

    async def hear(self) -> None:
        assert self._parent.stdout
        async for line in self._parent.stdout:
            heard = json.loads(line)
            if "code" in heard:
                self._running.pop(heard["pid"]).ended.set_result(heard["code"])
            else:
                self._running[heard["pid"]] = Forked(heard["pid"])
                self._begun.put_nowait(heard["pid"])


@asynccontextmanager
async def forks() -> AsyncIterator[Forks]:
    words = (sys.executable, "-m", "tests.chaos.forking")
    end_with = part._end_with(os.getpid())
    home = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, cwd=home, preexec_fn=end_with
    )
    made = Forks(process)
    hearing = asyncio.create_task(made.hear())
    try:
        yield made
    finally:
        process.kill()  # what it has forked ends with it
        await process.wait()
        await hearing


# The process that forks


def serve() -> None:
    """One line for each part that begins, and for each that ends."""
    import uvicorn

    import api.app
    import cli
    import worker

    assert all((api.app, cli, uvicorn, worker)), "imported once for all"
    begun = b""
    while True:
        if select.select([0], [], [], TICK)[0]:
            begun += os.read(0, 1 << 16)
        *lines, begun = begun.split(b"\n")
        for line in lines:
            _say(pid=_forked(json.loads(line)))
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                _say(pid=ended[0], code=os.waitstatus_to_exitcode(ended[1]))


def _say(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _forked(what: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    part._end_with(parent)()
    log = os.open(what["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for there, here in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(there, here)
    os.environ.clear()
    os.environ.update(what["env"])
    random.seed()
    sys.argv = ["keiyaku", *what["words"]]
    import cli

    try:
        cli.app()
    finally:
        os._exit(1)


if __name__ == "__main__":
    serve()

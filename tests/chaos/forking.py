"""Parts that begin in a moment: forked from a process that has imported everything and started nothing.

Most of what it takes to begin a part is importing. Whoever starts many waits for that once.
What is forked runs the same command, in a session of its own, and is killed like any other process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from embedded import part
from embedded.part import Part

TICK = 0.02


class Forked:
    """What `embedded.part.Child` is for a part that was started cold."""

    def __init__(self, pid: int, ended: Future[int]) -> None:
        self.pid, self.ended = pid, asyncio.wrap_future(ended)

    def kill(self) -> None:
        """Ends it and whatever it started. In its first moment it has no session of its own yet."""
        with suppress(ProcessLookupError):
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                if not self.ended.done():
                    os.kill(self.pid, signal.SIGKILL)


class Forks:
    """Has parts forked, and hears of their end. A thread hears, as each test has an event loop of its own."""

    def __init__(self, parent: subprocess.Popen[bytes]) -> None:
        self._parent, self._numbers = parent, count()
        self._begun = dict[int, Future[tuple[int, Future[int]]]]()
        self.hearing = Thread(target=self._hear, daemon=True)
        self.hearing.start()

    def can(self, what: Part) -> bool:
        """Of Temporal's servers it knows nothing."""
        return what.command[0] == sys.executable

    async def start(self, what: Part) -> Forked:
        assert self._parent.stdin
        what.log.parent.mkdir(exist_ok=True)
        # By their number each hears of its own: several may begin at the same time.
        number, begun = next(self._numbers), Future[tuple[int, Future[int]]]()
        self._begun[number] = begun
        words = what.command[what.command.index("-m") + 1 :]
        told = {"number": number, "words": words, "env": dict(what.env), "log": str(what.log)}
        self._parent.stdin.write(json.dumps(told).encode() + b"\n")
        self._parent.stdin.flush()
        return Forked(*await asyncio.wrap_future(begun))

    def _hear(self) -> None:
        assert self._parent.stdout
        running = dict[int, Future[int]]()
        for line in self._parent.stdout:
            heard = json.loads(line)
            if "code" in heard:
                running.pop(heard["pid"]).set_result(heard["code"])
            else:
                running[heard["pid"]] = Future[int]()
                self._begun.pop(heard["number"]).set_result((heard["pid"], running[heard["pid"]]))


@contextmanager
def forks() -> Iterator[Forks]:
    words = (sys.executable, "-m", "tests.chaos.forking")
    end_with = part._end_with(os.getpid())
    home = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, cwd=home, preexec_fn=end_with) as process:
        made = Forks(process)
        try:
            yield made
        finally:
            process.kill()  # what it has forked ends with it
            made.hearing.join()


# The process that forks


def serve() -> None:
    """One line for each part that begins, and for each that ends."""
    import uvicorn

    import api.app
    import cli
    import sandbox.app
    import sandbox.smtp
    import worker

    assert all((api.app, cli, sandbox.app, sandbox.smtp, uvicorn, worker)), "imported once for all"
    gc.freeze()
    begun = b""
    while True:
        if select.select([0], [], [], TICK)[0]:
            begun += os.read(0, 1 << 16)
        *lines, begun = begun.split(b"\n")
        for line in lines:
            told = json.loads(line)
            _say(number=told["number"], pid=_forked(told))
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
    sys.argv = [*what["words"]]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        os._exit(1)


if __name__ == "__main__":
    serve()

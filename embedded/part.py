"""One part of the service: a child process that never outlives this one."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from embedded.problem import Problem

Ready = Callable[[], Awaitable[str | None]]
"""None once the part works; until then, why it does not."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_BIGGEST_LOG = 20_000_000


@dataclass(frozen=True)
class Part:
    """What to start and how to tell that it works. Times in seconds."""

    name: str
    title: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    ready: Ready
    ready_within: float = 60
    stops_within: float = 4


class Child:
    """A part that was started."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process, log_from: int) -> None:
        self.part = part
        self.pid = process.pid
        self.ended = asyncio.create_task(process.wait())
        self._log_from = log_from

    async def stop(self) -> None:
        """Asks it to stop, and sees to it that it does."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.ended), self.part.stops_within)
        self.kill()
        await self.ended

    def kill(self) -> None:
        """Ends it and whatever it started."""
        self._signal(signal.SIGKILL)

    def epitaph(self) -> str:
        """One sentence on how it ended, with the last thing that it said."""
        code = self.ended.result()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"stopped with exit code {code}"
        said = self._last_line()
        return f"{self.part.title} {how}" + (f": {said}" if said else "") + f" (see {self.part.log})."

    def _last_line(self) -> str:
        with self.part.log.open("rb") as log:
            log.seek(self._log_from)
            lines = log.read()[-4000:].decode(errors="replace").split("\n")
        return next((line.strip()[:400] for line in reversed(lines) if line.strip()), "")

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


async def start(part: Part) -> Child:
    """Starts it. Raises Problem where that is not possible."""
    try:
        part.log.parent.mkdir(exist_ok=True)
        if part.log.exists() and part.log.stat().st_size > _BIGGEST_LOG:
            part.log.replace(part.log.with_suffix(".log.1"))
        with part.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *part.command,
                env=part.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops things in order
                preexec_fn=_end_with(os.getpid()),
            )
            return Child(part, process, log.tell())
    except FileNotFoundError:
        raise Problem(f"{part.title} cannot start: {part.command[0]} is missing; try `make venv`.") from None
    except OSError as error:
        raise Problem(f"{part.title} cannot start: {error.strerror}.") from None


def _end_with(parent: int) -> Callable[[], None]:
    """Run in the child before its program: the kernel ends it when the supervisor dies, however that dies."""

    def ask_kernel() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return ask_kernel


_PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The parts speak plain HTTP. Left alone, each new client reads all authorities of the machine first: 60 ms of work."""


def answers(url: str, saying: str = "") -> Ready:
    """Ready when a GET of `url` answers 200 with these words."""

    async def ask() -> str | None:
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False, verify=_PLAIN) as http:
                answer = await http.get(url)
        except httpx.HTTPError:
            return "it does not answer"
        if answer.status_code != 200:
            return f"it answers {answer.status_code}: {answer.text[:300]}"
        return None if saying in answer.text else "it has not begun its work"

    return ask


def succeeds(*command: str, env: Mapping[str, str]) -> Ready:
    """Ready when a command succeeds."""

    async def ask() -> str | None:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=_end_with(os.getpid()),
        )
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()  # to the end of its pipe, or that is found open after the loop's end
            raise
        return None if process.returncode == 0 else said.decode(errors="replace").strip()[-300:]

    return ask

"""Breaks an activity at each step at which it touches the database or the outside, before or after the step took effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from aiosmtplib import SMTPServerDisconnected
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError
from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode


class Faults:
    """Counts steps; breaks the one that is told it. Steps are the same in every run, so that each has its turn."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._broken: int | None = None

    def begin(self, broken: int | None) -> None:
        """Count from the beginning; break that step, or none."""
        self.steps, self._broken = [], broken

    def step(self, name: str, fault: Callable[[], Exception]) -> None:
        self.steps.append(name)
        if len(self.steps) - 1 == self._broken:
            raise fault()

    async def around(
        self, name: str, fault: Callable[[], Exception], call: Callable[[], Awaitable[Any]]
    ) -> Any:
        """A call to the outside: it may fail before anything has happened, or after everything has."""
        self.step(f"{name}, nothing done", fault)
        answer = await call()
        self.step(f"{name}, but done", fault)
        return answer

    def in_database(self, engine: Engine) -> None:
        """Every statement and every commit is a step."""

        def statement(connection: Connection, cursor: Any, words: str, *_: Any) -> None:
            if not words.startswith("BEGIN"):
                self.step(" ".join(words.split()[:3]), _database_gone)

        def commit(connection: Connection) -> None:
            self.step("commit", _database_gone)

        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", commit)


def _database_gone() -> Exception:
    return OperationalError("statement", {}, Exception("the database is gone"))


class BrokenHttp(httpx.AsyncBaseTransport):
    """The way to the payment gateway."""

    def __init__(self, faults: Faults) -> None:
        self._faults, self._way = faults, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def call() -> httpx.Response:
            return await self._way.handle_async_request(request)

        answer: httpx.Response = await self._faults.around("gateway", lambda: httpx.ReadError("cut"), call)
        return answer

    async def aclose(self) -> None:
        await self._way.aclose()


class BrokenEngine(Interceptor):
    """The way to Temporal."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        faults = self._faults

        class Broken(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
                def fault() -> Exception:
                    return RPCError("the engine is gone", RPCStatusCode.UNAVAILABLE, b"")

                handle: WorkflowHandle[Any, Any] = await faults.around(
                    "start workflow", fault, lambda: super(Broken, self).start_workflow(input)
                )
                return handle

        return Broken(next)


def broken_print(faults: Faults, write: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
    """The way to the print folder, in the place of `outside.letters._write`."""

    def broken(path: Path, content: bytes) -> None:
        faults.step(f"print {path.suffix}, nothing done", lambda: OSError(28, "no space"))
        write(path, content)
        faults.step(f"print {path.suffix}, but done", lambda: OSError(28, "no space"))

    return broken


def broken_mail(faults: Faults, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The way to the mail server, in the place of `aiosmtplib.SMTP.send_message`."""

    async def broken(*message: Any, **how: Any) -> Any:
        return await faults.around(
            "mail", lambda: SMTPServerDisconnected("cut"), lambda: send(*message, **how)
        )

    return broken

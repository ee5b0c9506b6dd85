"""The way into contract workflows: one command, one answer; a contract at rest is started from its snapshot on the way."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from temporalio.api.failure.v1 import Failure
from temporalio.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.runtime import Runtime

from rules import beside
from rules.change import Answer, Bill, Command
from rules.facts import Contract
from rules.refusal import Refusal
from rules.runs import Run, put_off_id
from settings import Settings
from workflows import visible

TAKEN_WITHIN = timedelta(seconds=8)
"""After that a command must not be accepted any more, so that an unanswered one has not happened."""

AT_ONCE = 4
"""Commands about one contract that one process has on their way: the server takes ten from all of them together."""

TASK_TIMEOUT = timedelta(seconds=5)
"""After that the server gives what a dead worker had begun to another: soon enough for whoever waits for it."""

PATIENCE = TAKEN_WITHIN + TASK_TIMEOUT + timedelta(seconds=1)
"""How long a caller waits for an answer: longer than a worker that froze just after it accepted could still finish."""

FRESH_TRIES, FRESH_WAIT = 20, 0.1

WORKFLOW, RUN, PUT_OFF = "Contract", "Run", "PutOff"
_IN_BETWEEN = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.ABORTED, RPCStatusCode.FAILED_PRECONDITION})
"""What the server says of an update where no workflow runs, or where it comes to rest, or is begun, in that very moment."""


def run_id(run: Run) -> str:
    """The workflow of a run that somebody asked for."""
    return f"run-{run.job}-{run.period}"


class Refused(Exception):
    """The workflow said no, by a rule or because somebody else was first."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Unavailable(Exception):
    """The workflow engine, or every worker, is down."""


class Gate:
    def __init__(self, client: Client, task_queue: str) -> None:
        self._client, self._task_queue = client, task_queue
        self._queues: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def send(
        self, update: str, command: Command, contract_id: str, snapshot: Callable[[], Awaitable[Contract]]
    ) -> Answer:
        """Have the contract's workflow take `command`. Raises Refused or Unavailable. Repeating it is harmless."""

        async def call() -> Answer:
            try:
                return await self._take(update, command, contract_id, snapshot)
            except WorkflowUpdateFailedError as failed:
                stored = await snapshot()
                if not _knew_less(failed, stored):
                    raise
            await self.catch_up(stored)
            return await self._take(update, command, contract_id, snapshot)

        return await self._in_turn(contract_id, call)

    async def _take(
        self, update: str, command: Command, contract_id: str, snapshot: Callable[[], Awaitable[Contract]]
    ) -> Answer:
        while True:
            try:
                return await self._update(update, command, contract_id)
            except RPCError as fault:
                if fault.status not in _IN_BETWEEN:
                    raise
            try:
                return await self._begin(update, command, await snapshot())
            except RPCError as fault:
                if fault.status not in _IN_BETWEEN:
                    raise
            await asyncio.sleep(0.05)

    async def send_fresh(
        self, update: str, contract_id: str, read: Callable[[], Awaitable[tuple[Command, Contract] | None]]
    ) -> Answer | None:
        """The same for a command made of what has just been read, and read again where the contract changed meanwhile.

        None where what was read needs no command any more.
        """
        for _ in range(FRESH_TRIES):
            found = await read()
            if found is None:
                return None
            command, contract = found
            try:
                return await self.send(update, command, contract_id, partial(_known, contract))
            except Refused as no:
                if no.refusal.reason != "outdated":
                    raise
            await asyncio.sleep(FRESH_WAIT)
        raise Unavailable

    async def begin(self, update: str, command: Command, contract: Contract) -> Answer:
        """The same for a contract whose workflow does not run yet. Raises Refused or Unavailable."""
        return await self._in_turn(contract.contract_id, lambda: self._begin(update, command, contract))

    async def start(self, contract: Contract) -> None:
        """Only start the contract's workflow; a running one is left alone."""
        await self._client.start_workflow(WORKFLOW, contract, **self._how(contract))

    async def catch_up(self, stored: Contract) -> None:
        """Tell the contract's workflow how the contract stands in the store. Raises RPCError.

        One that does not run is started, unless nothing is under way: then it rests, and lacks nothing.
        """
        if beside.is_quiet(stored):
            await self._tell(stored)
            return
        told: dict[str, Any] = {"start_signal": "catch_up", "start_signal_args": [stored]}
        await self._client.start_workflow(WORKFLOW, stored, **self._how(stored), **told)

    async def begin_anew(self, stored: Contract) -> None:
        """Its workflow again, from the store, where the engine's no longer goes on. Raises RPCError."""
        with contextlib.suppress(RPCError):
            await self._client.get_workflow_handle(stored.contract_id).terminate("goes on from the store")
        await self.catch_up(stored)

    async def _tell(self, stored: Contract) -> None:
        try:
            await self._client.get_workflow_handle(stored.contract_id).signal("catch_up", stored)
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def begin_run(self, run: Run, by: str = "calendar") -> WorkflowHandle[Any, dict[str, Any]]:
        """Have a run over all contracts done; one that is under way is let be. Raises RPCError."""
        return await self._of_run(RUN, run_id(run), run, by, result_type=dict[str, Any])

    async def begin_put_off(self, run: Run) -> None:
        """Have what mailboxes have put off tried again; where that goes on already it hears of more. Raises RPCError."""
        await self._of_run(PUT_OFF, put_off_id(run), run, "calendar", start_signal="more")

    async def _of_run(self, kind: str, name: str, run: Run, by: str, **how: Any) -> WorkflowHandle[Any, Any]:
        return await self._client.start_workflow(
            kind,
            run,
            id=name,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{run.job} {run.period}",
            static_details=f"Asked for by {by}.",
            task_timeout=TASK_TIMEOUT,
            **how,
        )

    async def run(self, run: Run, by: str = "calendar") -> dict[str, Any]:
        """The same, and wait for what comes of it. Raises Unavailable, also where somebody ends it."""
        try:
            return await (await self.begin_run(run, by)).result()
        except (RPCError, WorkflowFailureError) as fault:
            raise Unavailable from fault

    async def go_on(self, run: Run) -> None:
        """Tell a run that waits for an operator to try again; one that no longer runs is let be."""
        with contextlib.suppress(RPCError):
            await self._client.get_workflow_handle(run_id(run)).signal("again")

    async def _in_turn(self, contract_id: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Callers about one contract queue here: beyond its limit the server turns them away."""
        queue = self._queues.setdefault(contract_id, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()), queue:
                return await call()
        except WorkflowUpdateFailedError as failed:
            if refusal := _refusal(failed):
                raise Refused(Refusal.model_validate(refusal[0])) from None
            raise Unavailable from failed
        except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, TimeoutError) as fault:
            raise Unavailable from fault

    async def _update(self, update: str, command: Command, contract_id: str) -> Answer:
        name = _asked_as(command)
        try:
            return await self._ask(update, command, contract_id, name)
        except WorkflowUpdateFailedError as failed:
            if not _too_late(failed):
                raise
        # It may have been so for whoever sent it before, and then the engine would say so for ever.
        return await self._ask(update, command, contract_id, f"{name}-{command.not_after.isoformat()}")

    async def _ask(self, update: str, command: Command, contract_id: str, name: str) -> Answer:
        handle = self._client.get_workflow_handle(contract_id)
        answer: Answer = await handle.execute_update(
            update, command, id=name, result_type=Answer, rpc_timeout=PATIENCE
        )
        return answer

    async def _begin(self, update: str, command: Command, contract: Contract) -> Answer:
        operation: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            WORKFLOW, contract, **self._how(contract)
        )
        answer: Answer = await self._client.execute_update_with_start_workflow(
            update,
            command,
            id=_asked_as(command),
            result_type=Answer,
            start_workflow_operation=operation,
            rpc_timeout=PATIENCE,
        )
        return answer

    def _how(self, contract: Contract) -> dict[str, Any]:
        return {
            "id": contract.contract_id,
            "task_queue": self._task_queue,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
            "search_attributes": visible.attributes(contract),
            "static_summary": visible.summary(contract),
            "task_timeout": TASK_TIMEOUT,
        }


async def _known(contract: Contract) -> Contract:
    return contract


def _asked_as(command: Command) -> str:
    """The engine answers the same question the same for ever: bills that were read again make another one."""
    return f"{command.command_id}-{command.number}" if isinstance(command, Bill) else command.command_id


def _refusal(failed: WorkflowUpdateFailedError) -> Sequence[Any]:
    """The refusal, and the number of the contract's last change that it was judged by."""
    cause = failed.cause
    return cause.details if isinstance(cause, ApplicationError) and cause.type == "Refusal" else ()


def _too_late(failed: WorkflowUpdateFailedError) -> bool:
    refusal = _refusal(failed)
    return bool(refusal) and Refusal.model_validate(refusal[0]).reason == "too_late"


def _knew_less(failed: WorkflowUpdateFailedError, stored: Contract) -> bool:
    """It was judged by a contract that lacks what the store has: a server that died can lose a step that was written."""
    refusal = _refusal(failed)
    return len(refusal) > 1 and refusal[1] < stored.number


class Discreet(DefaultFailureConverter):
    """A fault is kept in Temporal with its text, and that of a database may quote the row that it did not take."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if type(exception).__module__.partition(".")[0] in ("sqlalchemy", "psycopg", "sqlite3"):
            failure.message = type(exception).__name__


CONVERTER = dataclasses.replace(pydantic_data_converter, failure_converter_class=Discreet)


async def connect_client(settings: Settings, telemetry: Runtime | None = None) -> Client:
    """A client of the settings' Temporal, with pydantic payloads."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=CONVERTER,
        runtime=telemetry,
    )

"""Wiring of the worker: settings, client, register, run."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.empty_pb2 import Empty
from sqlalchemy import Engine
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, RPCError, RPCStatusCode
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import schedules
from activities.contract import Contracts
from activities.mailings import Mailings
from activities.notices import Notices
from activities.outside import Outside
from activities.payment_method import Cards
from activities.record import Recorder
from activities.runs import Runs
from activities.settlement import Settlement
from credentials import Credentials
from gate import TASK_TIMEOUT, Gate, connect_client
from outside.letters import Printer
from outside.mail import Mailer
from outside.payments import Gateway
from rules import policy
from rules.calendar import JST
from rules.clock import Clock
from settings import Settings, SettingsError
from store import contracts, people, policies, workers
from store import runs as store_runs
from store.database import DOWN, connect, in_transaction
from workflows import clock as workflow_clock
from workflows import visible
from workflows.contract import ContractWorkflow
from workflows.put_off import PutOffWorkflow
from workflows.run import RunWorkflow

DEPLOYMENT = "keiyaku"
WORKFLOWS = [ContractWorkflow, RunWorkflow, PutOffWorkflow]
RECORDERS = 8
ENGINE_ANSWERS_WITHIN = 5
"""Seconds."""

T = TypeVar("T")
PURE = ("machines", "rules", "statemachine", "pydantic", "pydantic_core", "workflows.clock")
"""What workflows in the sandbox share with the worker. Their clock is told at its start which one to go by."""


async def main(settings: Settings) -> None:
    """Run a worker until it is cancelled."""
    engine = connect(settings.database_url, pool_size=RECORDERS)
    policies.agree(engine, policy.load(settings.policy_file or policy.DEFAULT))
    clock = Clock(settings.clock_speed, settings.clock_epoch)
    workflow_clock.use(clock, skips_time=settings.clock == "test")
    client = await connect_client(settings, runtime(settings))
    await register_search_attributes(client)
    if settings.clock == "real" and settings.clock_speed == 1:
        await schedules.apply(client, settings.task_queue, policy.current())
        await begin_overdue(engine, Gate(client, settings.task_queue), datetime.now(JST))
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Gateway(settings))
        executor = stack.enter_context(ThreadPoolExecutor(RECORDERS))
        worker = make_worker(client, settings, activities(settings, engine, client, gateway), executor)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run())
            tasks.create_task(make_current(client, settings))
            tasks.create_task(policies.hear(engine))
            tasks.create_task(settle_doubts(engine, Gate(client, settings.task_queue)))
            tasks.create_task(say_alive(engine, settings.build_id))


def activities(
    settings: Settings, engine: Engine, client: Client, gateway: Gateway
) -> list[Callable[..., Any]]:
    """Every activity there is, with what it works with."""
    clock = Clock(settings.clock_speed, settings.clock_epoch)
    outside, mailer, printer = Outside(engine, clock), Mailer(settings), Printer(settings)
    notices = Notices(
        outside, mailer, printer, Credentials(settings.secret_key.get_secret_value()), settings.public_url
    )
    mailings = Mailings(notices, mailer, printer)
    gate = Gate(client, settings.task_queue)
    runs = Runs(engine, clock, mailings, gate)
    return [
        Recorder(engine, engine_time(client, clock, settings.clock == "test")).record,
        notices.send,
        Cards(outside, gateway).register_card,
        Contracts(outside, client, settings.task_queue).wake,
        *(runs.ready, runs.begin, runs.chunks, runs.notices, runs.prove, runs.put_off),
        Settlement(engine, gateway, gate).settle,
    ]


def engine_time(client: Client, clock: Clock, skips: bool) -> Callable[[], datetime]:
    """Business time by the engine's clock, for threads; a server that skips time has to be asked for it."""
    if not skips:
        return lambda: clock.business(datetime.now(UTC))
    loop = asyncio.get_running_loop()

    async def ask() -> datetime:
        answer = await client.service_client.test_service.get_current_time(Empty())
        return clock.business(answer.time.ToDatetime(UTC))

    return lambda: asyncio.run_coroutine_threadsafe(ask(), loop).result(ENGINE_ANSWERS_WITHIN)


def make_worker(
    client: Client, settings: Settings, activities: list[Callable[..., Any]], executor: ThreadPoolExecutor
) -> Worker:
    """The worker that `main` runs, and that tests run too."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=activities,
        activity_executor=executor,
        workflow_runner=runner(settings),
        max_cached_workflows=settings.max_cached_workflows,
        # Unversioned it would be made of the code of every module, which takes half a second.
        build_id=None if settings.versioning else settings.build_id,
        deployment_config=deployment(settings),
        graceful_shutdown_timeout=timedelta(seconds=5),
        sticky_queue_schedule_to_start_timeout=TASK_TIMEOUT,
    )


def runtime(settings: Settings) -> Runtime | None:
    """The SDK's own metrics, where a port is given for them. Raises SettingsError where that is taken."""
    if settings.metrics_port is None:
        return None
    metrics = PrometheusConfig(bind_address=numeric(settings.host, settings.metrics_port))
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics))
    except ValueError as fault:
        raise SettingsError(f"Cannot listen on {metrics.bind_address}: {fault}.") from None


def numeric(host: str, port: int) -> str:
    """The address without a name, which the SDK would not resolve."""
    address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


def runner(settings: Settings) -> WorkflowRunner:
    """Unsandboxed it costs a fifth per start; the tests replay every workflow in the sandbox (docs/decisions)."""
    if not settings.sandboxed_workflows:
        return UnsandboxedWorkflowRunner()
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE))


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Contracts move to the current version with their next task (docs/decisions); replay tests make that safe."""
    if not settings.versioning:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


async def make_current(client: Client, settings: Settings) -> None:
    """Outside production the one worker there is serves everything; in production an operator says when (runbook)."""
    if settings.production or not settings.versioning:
        return
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=settings.build_id,
        identity="keiyaku up",
    )
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
            return
        except RPCError as fault:
            # Not registered yet: the worker has not polled.
            if fault.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                raise
        await asyncio.sleep(0.2)


async def begin_overdue(engine: Engine, gate: Gate, now: datetime) -> None:
    """A schedule does nothing for a day before it was changed: where a policy moves a job's day from a day to come to
    one that is over, nobody else has the month's run done. Begun once more, or beside the schedule, it does nothing."""
    for run in await asyncio.to_thread(
        in_transaction, engine, lambda c: store_runs.overdue(c, now, policy.current())
    ):
        await gate.begin_run(run)


async def settle_doubts(engine: Engine, gate: Gate) -> None:
    """A command that is in the store, but of which a crash made the engine forget, becomes known to it again."""
    while True:
        with contextlib.suppress(*DOWN, RPCError):
            for command_id in await asyncio.to_thread(in_transaction, engine, people.unanswered):
                await settle_doubt(engine, gate, command_id)
            await asyncio.to_thread(in_transaction, engine, people.sweep)
        await asyncio.sleep(5)


async def settle_doubt(engine: Engine, gate: Gate, command_id: str) -> None:
    stored = await asyncio.to_thread(in_transaction, engine, lambda c: contracts.led_to(c, command_id))
    if stored:
        await gate.catch_up(stored)
        await asyncio.to_thread(in_transaction, engine, lambda c: people.give_back(c, command_id))


async def say_alive(engine: Engine, build_id: str) -> None:
    """`/readyz` counts on it."""
    worker_id = uuid.uuid4().hex

    def beat() -> None:
        with engine.begin() as connection:
            workers.beat(connection, worker_id, build_id)

    def leave() -> None:
        with engine.begin() as connection:
            workers.leave(connection, worker_id)

    try:
        while True:
            with contextlib.suppress(*DOWN):
                await asyncio.to_thread(beat)
            await asyncio.sleep(workers.BEAT.total_seconds())
    finally:
        with contextlib.suppress(*DOWN):
            leave()


async def register_search_attributes(client: Client) -> None:
    """Create what operators search by. Repeating it changes nothing."""
    kinds = {
        visible.STATE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        visible.PRODUCT.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        visible.PENDING.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
        visible.WAITS_FOR.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
        visible.DUE_AT.name: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    }
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.ALREADY_EXISTS:
            raise

"""The HTTP application: wiring, and what holds for every request."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import anyio
import httpx
import structlog
from fastapi import FastAPI, Request
from prometheus_client import Histogram, start_http_server
from starlette.responses import Response

from api import (
    applications,
    catalogue,
    contracts,
    dev,
    docs,
    health,
    idempotency,
    jobs,
    line_operators,
    manuals,
    memberships,
    openapi,
    operators,
    passport_ids,
    payments,
    points,
    procedures,
    purchases,
    sessions,
    statements,
)
from api.calendar import Calendar
from api.clock import EngineClock
from api.guard import Guard
from api.handlers import HANDLERS
from api.problems import PART_DOWN
from api.service import Service
from credentials import Credentials
from gate import Gate, connect_client
from rules import policy
from rules.clock import Clock
from rules.figures import Policy
from settings import Settings, listening
from store import answers, locks, policies
from store.database import connect, reading

ROUTERS = (
    health,
    catalogue,
    applications,
    sessions,
    contracts,
    procedures,
    manuals,
    operators,
    line_operators,
    jobs,
    passport_ids,
    purchases,
    statements,
    points,
    memberships,
    payments,
)
SECONDS = Histogram("keiyaku_request_seconds", "Time to answer", ["method", "route", "status"])
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOGGED = ("contract_id", "procedure_id", "task_id")
_ID = re.compile(r"[kpt]-[0-9a-z-]{1,100}")
log = structlog.get_logger()


def listener(host: str, port: int) -> socket.socket:
    """Where the API listens; `::` takes both kinds of addresses. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with listening(host, port):
        return socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")


def make_app(settings: Settings) -> FastAPI:
    """The application. Raises at once PolicyError where the policy file is wrong, SettingsError where metrics have no port."""
    figures = policy.load(settings.policy_file or policy.DEFAULT)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=10) as http:
            app.state.service = await _service(settings, figures, http)
            app.state.moving = asyncio.Lock()
            app.state.calendar = Calendar(app.state.service)
            heard = policies.hear(app.state.service.reader)
            tasks = [asyncio.create_task(work) for work in (_sweep(app.state.service), heard)]
            if settings.clock == "test" or settings.clock_speed != 1:
                tasks.append(asyncio.create_task(app.state.calendar.keep(app.state.moving)))
            yield
            for task in tasks:
                task.cancel()
            app.state.service.engine.dispose()

    app = FastAPI(
        title="Keiyaku",
        lifespan=lifespan,
        exception_handlers=cast(Any, HANDLERS),
        docs_url=None,
        redoc_url=None,
        # A redirect would come before anything is judged, and leads wherever the Host header says.
        redirect_slashes=False,
    )
    docs.add(app)
    for module in (*ROUTERS, *(() if settings.production else (dev,))):
        app.include_router(module.router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    app.middleware("http")(idempotency.once)
    app.middleware("http")(_watch)
    app.add_middleware(Guard)
    if settings.metrics_port:
        with listening(settings.host, settings.metrics_port):
            start_http_server(settings.metrics_port, settings.host)
    return app


async def _service(settings: Settings, figures: Policy, http: httpx.AsyncClient) -> Service:
    engine = connect(settings.database_url)
    await asyncio.to_thread(policies.agree, engine, figures)
    client = await connect_client(settings)
    clock = EngineClock(client, Clock(settings.clock_speed, settings.clock_epoch), settings.clock == "test")
    await clock.refresh()
    return Service(
        settings=settings,
        engine=engine,
        reader=reading(engine),
        client=client,
        gate=Gate(client, settings.task_queue),
        clock=clock,
        credentials=Credentials(settings.secret_key.get_secret_value()),
        http=http,
        operators=settings.operator_names(),
        providers=settings.provider_names(),
        signing_in=anyio.CapacityLimiter(1),
        argon2=anyio.CapacityLimiter(1),
        argon2_purchases=anyio.CapacityLimiter(2),
    )


async def _sweep(found: Service) -> None:
    """Every hour, forget answers and wrong tries whose time is over."""
    # Whoever asks again does so by real time, however fast the clock runs.
    undone = answers.UNDONE * found.settings.clock_speed
    while True:
        with suppress(*PART_DOWN):
            await found.write(lambda connection: answers.sweep(connection, found.now() - undone))
            await found.write(lambda connection: locks.sweep(connection, found.now()))
        await asyncio.sleep(3600)


async def _watch(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Times every request, one that ends in a fault of ours, too."""
    began, status = time.perf_counter(), 500
    try:
        answer = await call_next(request)
        status = answer.status_code
        return answer
    finally:
        _tell(request, status, time.perf_counter() - began)


def _tell(request: Request, status: int, seconds: float) -> None:
    route = getattr(request.scope.get("route"), "path", "unknown")
    # Callers may invent methods, and each would be a series of its own for ever.
    method = request.method if request.method in METHODS else "other"
    SECONDS.labels(method, route, status).observe(seconds)
    found = request.scope.get("path_params", {})
    # Callers may put anything there, a customer's e-mail too.
    ids = {name: found[name] for name in LOGGED if _ID.fullmatch(found.get(name, ""))}
    log.info("answered", method=method, route=route, status=status, seconds=round(seconds, 4), **ids)

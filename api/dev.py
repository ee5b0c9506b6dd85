"""For trying things out: what left by e-mail and post, and the clock. Never there with production settings."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from api import shapes
from api.bodies import Body, Instant, read, takes
from api.calendar import Calendar
from api.pages import asked
from api.problems import Problem, unavailable, wrong
from api.service import Service, service
from store import deliveries
from workflows.timing import OUTSIDE_TIMEOUT

router = APIRouter(prefix="/dev/v1", tags=["Trying things out"])
POLL_SECONDS, HELD_UP_SECONDS, REST_SECONDS = 0.02, 12, 120
SLOW_SECONDS = OUTSIDE_TIMEOUT.total_seconds()


class ClockMove(Body):
    to: Instant


@router.get("/outbox", summary="What left by e-mail and post")
async def outbox(
    request: Request, to: str | None = None, kind: str | None = None, contract_id: str | None = None
) -> dict[str, Any]:
    """Oldest first; all of it, or what left to an address, of a kind, about a contract."""
    found = service(request)
    asked(request)
    given = {name: value for name, value in request.query_params.items() if value}
    answer = await found.http.get(f"{found.settings.sandbox_url}/outbox", params=given)
    if answer.status_code == 422:
        raise wrong("cursor", "cursor")
    answer.raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


@router.get("/clock", summary="What time it is here")
async def clock(request: Request) -> dict[str, Any]:
    found = service(request)
    await found.clock.refresh()
    return _shown(found)


@router.post(
    "/clock",
    openapi_extra=takes(ClockMove, {"to": "2030-04-01T00:00:00+09:00"}),
    summary="Move the clock ahead",
)
async def move(request: Request) -> dict[str, Any]:
    """Answers when everything due until then has been done, in the order of the dates, outbox included."""
    found = service(request)
    to = (await read(request, ClockMove)).to
    if not found.clock.test:
        raise Problem(409, "clock_is_real")
    async with request.app.state.moving:
        await found.clock.refresh()
        if to < found.now():
            raise Problem(409, "clock_only_forward")
        request.app.state.calendar.look_again()
        await _move(found, request.app.state.calendar, to)
    return _shown(found)


def _shown(found: Service) -> dict[str, Any]:
    return {"now": shapes.iso(found.now()), "mode": "test" if found.clock.test else "real"}


async def _move(found: Service, calendar: Calendar, to: datetime) -> None:
    """From stop to stop: the next deadline of any contract, another try of anything on its way outside, or the next run."""
    while True:
        stop = await _rest(found)
        now = found.now()
        run = await calendar.next_run(now)
        if run is None:
            continue
        if now >= to:
            return
        await found.clock.skip_to(min(stop or to, run, to))


async def _rest(found: Service) -> datetime | None:
    """Wait until nothing is due any more; the instant at which something will be.

    The time-skipping server now and then refuses what a workflow answers, and then for ever. The store has it all, so
    such a workflow begins anew from there; later where a try is on its way outside: a workflow that is ended beneath
    one leaves that server's clock locked.
    """
    for within, tried in ((HELD_UP_SECONDS, False), (SLOW_SECONDS, True)):
        try:
            return await _nothing_due(found, within)
        except TimeoutError:
            await _begin_anew(found, tried)
    try:
        return await _nothing_due(found, REST_SECONDS)
    except TimeoutError:
        raise unavailable() from None


async def _begin_anew(found: Service, tried: bool) -> None:
    for stored in await found.read(lambda connection: deliveries.held_up(connection, found.now(), tried)):
        await found.gate.begin_anew(stored)


async def _nothing_due(found: Service, within: float) -> datetime | None:
    for _ in range(int(within / POLL_SECONDS)):
        stop = await found.read(lambda connection: deliveries.next_stop(connection, found.now()))
        if stop is None or stop > found.now():
            return stop
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError

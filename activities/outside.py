"""What every activity that reaches the outside shares: done before means done, and trouble is written where it is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from temporalio import activity

from outside.notice import Unreachable
from rules.clock import Clock
from rules.facts import Delivery
from store import deliveries

ARRIVED = "arrived"
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=5)

BEAT = timedelta(seconds=3)

log = structlog.get_logger()


class Outside:
    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine, self._clock = engine, clock

    def now(self) -> datetime:
        """Business time by the engine's clock, as the activity began."""
        return self._clock.business(activity.info().started_time)

    async def once(self, delivery: Delivery, attempt: Callable[[], Awaitable[str]]) -> str:
        """The outcome remembered for `delivery`, or that of `attempt`. Whatever it raises is noted for the operators first."""
        known = await asyncio.to_thread(self._outcome, delivery.delivery_id)
        if known:
            return known
        began = time.monotonic()
        try:
            async with alive():
                outcome = await attempt()
        except Exception as fault:
            trouble = str(fault) if isinstance(fault, Unreachable) else f"a fault: {type(fault).__name__}"
            tried = timedelta(seconds=time.monotonic() - began)
            await asyncio.to_thread(self._note_trouble, delivery.delivery_id, trouble, tried)
            log.warning("not delivered yet", kind=delivery.kind, trouble=trouble, **_ids(delivery))
            raise
        log.info("delivered", kind=delivery.kind, outcome=outcome, **_ids(delivery))
        if outcome == ARRIVED:
            await asyncio.to_thread(self._settle, delivery.delivery_id)
        return outcome

    def _outcome(self, delivery_id: str) -> str | None:
        with self.engine.begin() as connection:
            return deliveries.outcome(connection, delivery_id)

    def _settle(self, delivery_id: str) -> None:
        with self.engine.begin() as connection:
            deliveries.settle(connection, delivery_id, ARRIVED)

    def _note_trouble(self, delivery_id: str, what: str, tried: timedelta) -> None:
        info = activity.info()
        wait = min(FIRST_WAIT * 2 ** min(info.attempt - 1, 20), LONGEST_WAIT)
        next_try_at = self._clock.business(info.started_time + tried + wait)
        with self.engine.begin() as connection:
            deliveries.trouble(connection, delivery_id, what, next_try_at)


@asynccontextmanager
async def alive() -> AsyncIterator[None]:
    """Say so now and then; what is quickly done says nothing."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            activity.heartbeat()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def _ids(delivery: Delivery) -> dict[str, str | None]:
    return {"contract_id": delivery.contract_id, "procedure_id": delivery.procedure_id}

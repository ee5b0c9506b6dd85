"""The runs over all contracts: chunk by chunk, each a transaction, resumable at any moment and harmless when repeated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError
from temporalio import activity

from activities.mailings import Mailings
from activities.outside import alive
from gate import Gate
from rules import jobs, policy
from rules.clock import Clock
from rules.runs import OVERDUE, Later, Plan, Proof, Range, Reached, Run, Waiting, not_done
from store import runs
from store.database import in_transaction
from store.jobs import JOBS, done_too_early, expected, groundwork, left

T = TypeVar("T")
STRETCH_SECONDS = 20
"""How long one activity works before it hands over to the next: what a crash may cost is less, what is told is fresher."""
LATE_AT_ONCE, NOTICES_AT_ONCE, NAMED = 100, 50, 20
BROKEN = (DataError, IntegrityError, ArithmeticError, ValueError, LookupError)
"""Faults of a contract's own data. Whatever else goes wrong is the database's, and is tried again."""

log = structlog.get_logger()


class Runs:
    def __init__(self, engine: Engine, clock: Clock, mailings: Mailings, gate: Gate) -> None:
        self._engine, self._clock, self._mailings, self._gate = engine, clock, mailings, gate

    @activity.defn(name="run_ready")
    async def ready(self, run: Run, now: datetime) -> Waiting:
        """Why the run cannot begin yet. Contracts whose deadlines were not kept are woken on the way."""
        due = jobs.due_at(policy.current().job(run.job), run.period)
        if due > now:
            return Waiting(why=f"not due before {due:%Y-%m-%d %H:%M}", until=due)
        if first := await self._in_transaction(lambda c: runs.before(c, run, policy.current())):
            earlier, begun = first
            if not begun:
                await self._gate.begin_run(earlier)
            return Waiting(why=not_done(earlier))
        if missing := await self._in_transaction(lambda c: groundwork(c, run)):
            needed = Run(job=missing, period=run.period)
            await self._complete(needed)
            return Waiting(why=not_done(needed))
        late = await self._in_transaction(lambda c: runs.late(c, due, LATE_AT_ONCE))
        await asyncio.gather(*(self._gate.start(contract) for contract in late.values() if contract))
        for contract_id in (one for one, contract in late.items() if contract is None):
            log.warning("unreadable", job=run.job, period=run.period, contract_id=contract_id)
        return Waiting(why=OVERDUE if late else "", late=len(late))

    async def _complete(self, before: Run) -> None:
        """Whoever was brought in after it was done is not dealt with yet, and nobody else has it done once more."""
        known = await self._in_transaction(lambda c: runs.of(c, before.job, before.period))
        if known and known.state == "done":
            await self._gate.begin_run(before)

    @activity.defn(name="run_begin")
    def begin(self, run: Run, now: datetime) -> Plan:
        """What there is to do, and that it is being done."""
        figures, streams = policy.current(), 1
        if self._engine.dialect.name == "postgresql":
            streams = figures.runs.streams
        with self._engine.begin() as connection:
            concerned = expected(connection, run)
            due = jobs.due_at(figures.job(run.job), run.period)
            runs.begin(connection, run.job, run.period, due, now, concerned)
            least = figures.runs.least_per_stream
            ranges = runs.ranges(connection, streams, least) if concerned else []
            return Plan(expected=concerned, ranges=ranges)

    @activity.defn(name="run_chunks")
    async def chunks(self, run: Run, stretch: Range) -> Reached:
        """Chunks of the range until it is done or some time has passed."""
        began, reached = time.monotonic(), Reached(last=stretch.after)
        async with alive():
            while reached.last is not None and time.monotonic() < began + STRETCH_SECONDS:
                reached = await asyncio.to_thread(self.chunk, run, reached, stretch.until)
        return reached

    def chunk(self, run: Run, reached: Reached, until: str) -> Reached:
        """The next chunk of a range: one transaction; where a contract's data break it, halves of it."""
        part, last = Range(after=str(reached.last), until=until), None
        try:
            with self._engine.begin() as connection:
                size = policy.current().runs.contracts_per_chunk
                last = runs.chunk_end(connection, part.after, part.until, size)
                part = Range(after=part.after, until=last or until)
                done = self._deal_with(connection, run, part)
        except BROKEN as fault:
            done = self._in_halves(run, part, fault)
        return Reached(last=last, done=max(reached.done, done))

    def _deal_with(self, connection: Connection, run: Run, part: Range) -> int:
        """How many the run has dealt with by now, counted in the same transaction."""
        done = JOBS[run.job].chunk(connection, run.period, part.after, part.until, policy.current())
        return runs.advance(connection, run.job, run.period, done)

    def _in_halves(self, run: Run, part: Range, fault: Exception) -> int:
        """The same, down to the one contract that is at fault, which is parked."""
        with self._engine.begin() as connection:
            middle = runs.middle(connection, part.after, part.until)
            if middle is None:
                reason = type(fault).__name__
                runs.park(connection, run.job, run.period, part.after, part.until, reason, self._now())
        if middle is None:
            log.warning("parked", job=run.job, period=run.period, contract_id=part.until)
            return 0
        halves = Range(after=part.after, until=middle), Range(after=middle, until=part.until)
        return max(self._half(run, half) for half in halves)

    def _half(self, run: Run, part: Range) -> int:
        try:
            with self._engine.begin() as connection:
                return self._deal_with(connection, run, part)
        except BROKEN as fault:
            return self._in_halves(run, part, fault)

    @activity.defn(name="run_notices")
    async def notices(self, run: Run) -> Reached:
        """Mails and letters of the run that have not left yet, until all have, but for what their mailboxes put off, or
        some time has passed; how many have."""
        began, reached = time.monotonic(), Reached(last="")
        async with alive():
            while reached.last is not None and time.monotonic() < began + STRETCH_SECONDS:
                reached.last = await self._send_some(run, reached.last)
        reached.done = await self._in_transaction(lambda c: runs.sent(c, run.job, run.period))
        return reached

    async def _send_some(self, run: Run, last: str) -> str | None:
        """The last of the next ones after `last`, "" where those were all; None where none at all were left to send."""
        found = await self._in_transaction(
            lambda c: runs.unsent(c, run.job, run.period, NOTICES_AT_ONCE, last)
        )
        if not found:
            return "" if last else None
        stuck = await self._mailings.send_all(found)
        await self._in_transaction(partial(self._put_aside, run, stuck))
        return found[-1].delivery_id

    def _put_aside(self, run: Run, stuck: dict[str, str], connection: Connection) -> None:
        for contract_id, reason in stuck.items():
            runs.put_aside(connection, run.job, run.period, contract_id, reason, self._now())

    @activity.defn(name="run_prove")
    async def prove(self, run: Run, now: datetime, notices: int) -> Proof:
        """Whether every contract that the period concerns was dealt with; it counts those that were not, and names some."""
        proof = await self._in_transaction(partial(self._prove, run, now, notices))
        if overtaken := await self._in_transaction(lambda c: done_too_early(c, run)):
            await self._gate.begin_run(overtaken)
        if await self._in_transaction(lambda c: runs.next_try(c, run)):
            await self._gate.begin_put_off(run)
        return proof

    def _prove(self, run: Run, now: datetime, notices: int, connection: Connection) -> Proof:
        concerned = expected(connection, run)
        missing = {*left(connection, run, concerned)} if concerned else set()
        missing.update(runs.untold(connection, run.job, run.period, NAMED))
        names = sorted(missing)[:NAMED]
        parked = runs.parked(connection, run.job, run.period)
        result = {"expected": concerned, "left": names, "parked": parked, "notices": notices}
        done = concerned - len(missing)
        runs.end(connection, run.job, run.period, now, result, done)
        log.info("run", job=run.job, period=run.period, expected=concerned, left=len(missing))
        return Proof(left=names, result=result, done=done)

    @activity.defn(name="run_put_off")
    async def put_off(self, run: Run) -> Later:
        """What mailboxes have put off is tried again where it is due, until all is or some time has passed."""
        began = time.monotonic()
        async with alive():
            while time.monotonic() < began + STRETCH_SECONDS and await self._try_again(run):
                pass
        return await self._in_transaction(partial(self._later, run))

    async def _try_again(self, run: Run) -> bool:
        """Whether there was anything to try."""
        now = self._now()
        found = await self._in_transaction(lambda c: runs.due_again(c, run, now, NOTICES_AT_ONCE))
        if found:
            await self._mailings.send_all(found)
        return bool(found)

    def _later(self, run: Run, connection: Connection) -> Later:
        runs.tell_again(connection, run)
        return Later(until=runs.next_try(connection, run))

    def _now(self) -> datetime:
        """By the engine's clock, as the activity began."""
        return self._clock.business(activity.info().started_time)

    async def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(in_transaction, self._engine, work)

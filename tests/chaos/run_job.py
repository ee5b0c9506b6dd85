"""A run from its beginning to its proof, as the worker does it, in a process of its own: to be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.mailings import Mailings
from activities.outside import Outside
from activities.runs import Runs
from rules import policy
from rules.calendar import JST
from rules.clock import Clock
from rules.facts import Delivery
from rules.figures import Policy
from rules.runs import Range, Reached, Run
from store.database import connect

CHUNK = 20
NOW = datetime(2027, 1, 1, tzinfo=JST)
NOTHING: Any = None
# Its processes come from one that has imported everything: a start costs little, so that it can be killed often.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def begun(url: str, job: str, period: str) -> BaseProcess:
    """The process, once it has begun with the run."""
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_run, args=(url, job, period, there), daemon=True)
    process.start()
    assert here.recv() == "begun"
    return process


def _run(url: str, job: str, period: str, tell: Connection) -> None:
    policy.use(_in_small_chunks())
    outside: Any = Unread(Outside(connect(url), Clock()))
    runs = Runs(outside.outside.engine, Clock(), Mailings(outside, NOTHING, NOTHING), NOTHING)
    tell.send("begun")
    asyncio.run(_whole(runs, Run(job=job, period=period)))


class Unread:
    """Notices that arrive wherever nobody reads them: what they say is for others to prove."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    def compose(self, delivery: Delivery) -> None:
        return None


async def _whole(runs: Runs, run: Run) -> None:
    """All that its workflow has done, in that order."""
    work: Callable[..., Any] = ActivityEnvironment().run
    plan = await asyncio.to_thread(runs.begin, run, NOW)
    for part in plan.ranges:
        await _at_length(partial(work, runs.chunks, run), part)
    notices = await _at_length(lambda _: work(runs.notices, run), Range())
    proof = await work(runs.prove, run, NOW, notices.done)
    assert proof.left == []


async def _at_length(work: Callable[[Range], Awaitable[Reached]], part: Range) -> Reached:
    """A stretch at a time."""
    reached = Reached(last=part.after)
    while reached.last is not None:
        reached = await work(Range(after=reached.last, until=part.until))
    return reached


def _in_small_chunks() -> Policy:
    figures = policy.load()
    return figures.model_copy(update={"runs": figures.runs.model_copy(update={"contracts_per_chunk": CHUNK})})

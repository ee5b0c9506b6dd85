"""All chunks of a run, as the worker does them, in a process of its own: to be killed."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from activities.runs import Runs
from rules import policy
from rules.clock import Clock
from rules.figures import Policy
from rules.runs import END, Reached, Run
from store.database import connect

CHUNK = 20
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
    runs, run, reached = (
        Runs(connect(url), Clock(), NOTHING, NOTHING),
        Run(job=job, period=period),
        Reached(last=""),
    )
    tell.send("begun")
    while reached.last is not None:
        reached = runs.chunk(run, reached, END)


def _in_small_chunks() -> Policy:
    figures = policy.load()
    return figures.model_copy(update={"runs": figures.runs.model_copy(update={"contracts_per_chunk": CHUNK})})

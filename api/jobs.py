"""The runs over all contracts, for operators: when last, when next, how far, what came of it."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import APIRouter, Request

from api import running, shapes
from api.bodies import Body, read, takes
from api.callers import operator
from api.pages import page_of_all
from api.problems import Problem, not_found, wrong
from api.service import Service, service
from rules import jobs, policy
from rules.figures import Job
from rules.runs import Held, Pace, Progress, Run, pace
from store import runs
from store.jobs import groundwork
from store.waiting import held

log = structlog.get_logger()
router = APIRouter(prefix="/operator/v1/jobs", tags=["Operators"])


class Period(Body):
    period: str


@router.get("", summary="The runs over all contracts")
async def listed(request: Request) -> dict[str, Any]:
    """When last, when next, how far and how fast, what keeps one from beginning, and what the last one came to."""
    operator(request)
    found, figures = service(request), policy.current()
    latest = await found.read(runs.latest)
    waits = await found.read(lambda c: held(c, found.now(), figures))
    return page_of_all(
        figures.jobs, request, lambda job: _shown(found, job, latest.get(job.job), waits.get(job.job))
    )


def _shown(found: Service, job: Job, last: Progress | None, waits: Held | None) -> dict[str, Any]:
    """One that is under way, or waits for an operator, is told rather than the one that comes after it."""
    if waits and (last is None or last.state == "done"):
        progress: dict[str, Any] | None = _waits(waits)
    else:
        progress = _progress(found, last) if last else None
    return {
        "name": job.job,
        "last_run": shapes.iso(last.started_at) if last else None,
        "next_run": shapes.iso(jobs.next_due(job, found.now()).at),
        "progress": progress,
        "result": last.result if last else None,
    }


def _progress(found: Service, last: Progress) -> dict[str, Any]:
    """The same figures as the details of its workflow; one that waits for an operator has no pace."""
    works = last.state != "waiting"
    seconds = found.clock.seconds(last.started_at, last.finished_at) if works else 0.0
    return {
        "period": last.period,
        "state": last.state,
        "reason": None,
        **_counts(last.expected, pace(last.expected, last.done, seconds)),
        "finished_at": shapes.iso(last.finished_at),
    }


def _waits(waits: Held) -> dict[str, Any]:
    counts = _counts(0, Pace(done=0, left=0))
    return {
        "period": waits.period,
        "state": "waits",
        "reason": waits.reason,
        **counts,
        "finished_at": None,
    }


def _counts(expected: int, told: Pace) -> dict[str, Any]:
    rate, estimate = told.rate, told.estimate
    return {
        "expected": expected,
        "done": told.done,
        "left": told.left,
        "rate": None if rate is None else round(rate, 1),
        "estimate": None if estimate is None else round(estimate),
    }


@router.post("/{name}/run", openapi_extra=takes(Period, {"period": "2026-10"}), summary="Have a run done")
async def run(request: Request, name: str) -> dict[str, Any]:
    """Answers with its result when it is done; 409 naming the contracts that are left where it waits for an operator.

    Done again it changes nothing; one that waits tries again.
    """
    caller, found = operator(request), service(request)
    job = next((job for job in policy.current().jobs if job.job == name), None)
    if job is None:
        raise not_found()
    asked = Run(job=name, period=(await read(request, Period)).period)
    await _may_run(found, job, asked)
    log.info("run_asked_for", job=name, period=asked.period, by=caller.by)
    result = await running.outcome(found, asked, caller.by)
    if result["left"]:
        raise Problem(409, "run_left", left=result["left"])
    return {"name": name, "period": asked.period, "result": result}


async def _may_run(found: Service, job: Job, asked: Run) -> None:
    """Raises 422 for what is no period of this job, 409 for one that is not over, or whose groundwork is not done."""
    if not jobs.fits(job, asked.period):
        shape = "FYyyyy" if job.job in jobs.YEARLY else "yyyy-mm"
        raise wrong("period", "period", shape=shape, job=job.job)
    due = jobs.due_at(job, asked.period)
    if due > found.now():
        raise Problem(409, "period_not_over", opens_at=shapes.iso(due))
    if needs := await found.read(lambda c: groundwork(c, asked)):
        raise Problem(409, "run_needs_another", needs=needs)

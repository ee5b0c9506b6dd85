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
from rules.runs import Progress, Run
from store import runs
from store.jobs import groundwork

log = structlog.get_logger()
router = APIRouter(prefix="/operator/v1/jobs", tags=["Operators"])


class Period(Body):
    period: str


@router.get("", summary="The runs over all contracts")
async def listed(request: Request) -> dict[str, Any]:
    """When last, when next, how far, and what the last one came to."""
    operator(request)
    found = service(request)
    latest = await found.read(runs.latest)
    return page_of_all(policy.current().jobs, request, lambda job: _shown(found, job, latest.get(job.job)))


def _shown(found: Service, job: Job, last: Progress | None) -> dict[str, Any]:
    return {
        "name": job.job,
        "last_run": shapes.iso(last.started_at) if last else None,
        "next_run": shapes.iso(jobs.next_due(job, found.now()).at),
        "progress": _progress(last) if last else None,
        "result": last.result if last else None,
    }


def _progress(last: Progress) -> dict[str, Any]:
    counts = {"expected": last.expected, "done": last.done, "left": max(last.expected - last.done, 0)}
    return {
        "period": last.period,
        "state": last.state,
        **counts,
        "finished_at": shapes.iso(last.finished_at),
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

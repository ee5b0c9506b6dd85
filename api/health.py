"""Whether the process answers, and whether everything it needs does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from api import words
from api.language import language
from api.problems import RETRY_SECONDS
from api.service import Service, service
from store import workers

router = APIRouter(tags=["Health"])
PATIENCE = 3


@router.get("/healthz", summary="The process answers")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="Temporal, a worker and the database answer")
async def readyz(request: Request) -> JSONResponse:
    """503 naming what does not."""
    parts = await answering(service(request))
    missing = [name for name, fine in parts.items() if not fine]
    body: dict[str, Any] = {"status": "ok" if not missing else "unavailable", "parts": parts}
    if not missing:
        return JSONResponse(body)
    problem = {
        "type": "about:blank",
        "title": words.title(503, language(request)),
        "detail": words.detail("parts_down", language(request)),
    }
    return JSONResponse(
        {**problem, **body, "status": 503, "missing": missing},
        503,
        {"Retry-After": str(RETRY_SECONDS)},
        media_type="application/problem+json",
    )


async def answering(found: Service) -> dict[str, bool]:
    """Which of the parts that everything needs do answer."""
    checks = {"temporal": _temporal(found), "worker": _worker(found), "database": _database(found)}
    answers = await asyncio.gather(*(_fine(check) for check in checks.values()))
    return dict(zip(checks, answers, strict=True))


async def _fine(check: Awaitable[bool]) -> bool:
    try:
        return await asyncio.wait_for(check, PATIENCE)
    except Exception:  # whatever it is, the part does not answer
        return False


async def _temporal(found: Service) -> bool:
    return await found.client.service_client.check_health(timeout=timedelta(seconds=PATIENCE))


async def _worker(found: Service) -> bool:
    """One of the version that new work is given to; where there are no versions, any."""
    alive = await found.read(workers.alive)
    return bool(alive) and (not found.settings.versioning or await _current(found) in alive)


async def _current(found: Service) -> str | None:
    """The version that is current at Temporal; None where operators have made none current yet."""
    queue = DescribeTaskQueueRequest(
        namespace=found.client.namespace,
        task_queue=TaskQueue(name=found.settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await found.client.workflow_service.describe_task_queue(queue)
    return described.versioning_info.current_deployment_version.build_id or None


async def _database(found: Service) -> bool:
    await found.read(lambda connection: connection.execute(text("select 1")))
    return True

"""What becomes of whatever is raised on the way to an answer: a problem document, in every case."""

from __future__ import annotations

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.callers import identify
from api.paths import needs_token
from api.problems import PART_DOWN, Problem, document, not_signed_in, unavailable

log = structlog.get_logger()


async def on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return document(error, request)


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Unknown paths and methods. Who is not signed in does not hear which paths there are."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and needs_token(request.scope["path"]) and identify(request) is None:
        return document(not_signed_in(), request)
    reasons = {404: "not_found", 405: "method_not_allowed"}
    reason = reasons.get(error.status_code, "invalid")
    headers = _allow(request, error) if error.status_code == 405 else error.headers
    return document(Problem(error.status_code, reason, headers), request)


def _allow(request: Request, error: HTTPException) -> dict[str, str]:
    """All methods that the path takes, and HEAD with GET: the router names those of the first route that it met."""
    of_route = (error.headers or {}).get("Allow", "").lower().replace(",", " ").split()
    methods = set(request.app.openapi()["paths"].get(_route(request), of_route))
    methods |= {"head"} if "get" in methods else set()
    return {"Allow": ", ".join(sorted(methods)).upper()} if methods else {}


def _route(request: Request) -> str:
    """The path without what stands in it: a registration link must not be read in a log."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))


async def on_part_down(request: Request, error: Exception) -> JSONResponse:
    """Temporal, a worker or the database does not answer."""
    log.warning("part down", part=type(error).__name__, path=_route(request))
    return document(unavailable(), request)


async def on_fault(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged, and told without its inside."""
    log.error("fault", kind=type(error).__name__, path=_route(request), exc_info=error)
    return document(Problem(500, "fault"), request)


HANDLERS = {
    Problem: on_problem,
    HTTPException: on_http,
    **dict.fromkeys(PART_DOWN, on_part_down),
    Exception: on_fault,
}

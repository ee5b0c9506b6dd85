"""Errors as RFC 9457 problem documents: what happened, which rule, what to do, when it would work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from httpx import HTTPError
from prometheus_client import Counter
from temporalio.service import RPCError

from api import words as api_words
from api.faults import Fault
from api.language import language
from gate import Unavailable
from rules import texts
from rules.policy import UnknownPolicy
from rules.refusal import Refusal
from store.database import DOWN

RETRY_SECONDS = 5
HOW_TO_SIGN_IN = {"WWW-Authenticate": "Bearer"}
PART_DOWN = (Unavailable, RPCError, *DOWN, HTTPError, UnknownPolicy)
"""Not for long: also figures that another process decides by and this one has not heard of yet (store.policies)."""
REFUSED = Counter("keiyaku_refused_total", "Requests refused by a rule", ["rule"])


class Problem(Exception):
    """An answer that is not a success. `reason` names its texts; `extra` are further members of the document."""

    def __init__(
        self, status: int, reason: str, headers: Mapping[str, str] | None = None, rule: str = "", **extra: Any
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.rule, self.headers, self.extra = status, reason, rule, headers, extra


def refused(refusal: Refusal, **extra: Any) -> Problem:
    """The 409 of a rule that says no; 503 where the command came too late to be taken."""
    if refusal.reason == "too_late":
        return unavailable()
    if not refusal.rule:
        return Problem(409, refusal.reason, **extra)
    data = {name: value for name, value in refusal.data.items() if name == "legacy_page"}
    return Problem(409, refusal.reason, rule=refusal.rule, refusal=refusal, **data, **extra)


def unavailable() -> Problem:
    return Problem(503, "unavailable", {"Retry-After": str(RETRY_SECONDS)})


def not_signed_in() -> Problem:
    return Problem(401, "not_signed_in", HOW_TO_SIGN_IN)


def not_found() -> Problem:
    return Problem(404, "not_found")


def invalid(faults: list[Fault]) -> Problem:
    """422 with each fault named by field."""
    return Problem(422, "invalid", faults=faults)


def wrong(field: str, how: str, **values: Any) -> Problem:
    """422 for one field."""
    return invalid([Fault(field, how, values)])


def document(problem: Problem, request: Request) -> JSONResponse:
    """The answer in the caller's language."""
    words = language(request)
    extra = dict(problem.extra)
    refusal = extra.pop("refusal", None)
    body: dict[str, Any] = {"type": "about:blank", "status": problem.status}
    if refusal:
        title, detail = texts.of(refusal, words)
        body |= {"title": title, "detail": detail}
        if refusal.opens_at:
            body["opens_at"] = _iso(refusal.opens_at)
    else:
        title = (
            texts.rule_title(problem.rule, words) if problem.rule else api_words.title(problem.status, words)
        )
        body |= {"title": title, "detail": api_words.detail(problem.reason, words)}
    if faults := extra.pop("faults", None):
        body["errors"] = [fault.told(words) for fault in faults]
    if problem.rule:
        REFUSED.labels(problem.rule).inc()
        body["rule"] = problem.rule
    return JSONResponse(
        body | extra, problem.status, dict(problem.headers or {}), media_type="application/problem+json"
    )


def _iso(instant: datetime) -> str:
    return instant.isoformat()

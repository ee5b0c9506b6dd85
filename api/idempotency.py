"""`Idempotency-Key`: the same request again is answered again and not done again, across restarts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.bodies import limited
from api.callers import identify
from api.problems import Problem, document, invalid
from api.service import Service, service
from rules import policy
from store import answers

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
LEASE = timedelta(seconds=60)
LONGEST_KEY = 200
KEPT_HEADERS = ("content-type", "location", "cache-control")

Next = Callable[[Request], Awaitable[Response]]


async def once(request: Request, call_next: Next) -> Response:
    """Middleware. Keys are by caller, method and path, those of public calls by key alone; only 2xx answers are kept."""
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        return await call_next(request)
    try:
        return await _once(request, call_next, key)
    except Problem as problem:
        return document(problem, request)


async def _once(request: Request, call_next: Next, key: str) -> Response:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise invalid([{"field": HEADER, "detail": f"1 to {LONGEST_KEY} characters"}])
    found, answer_key = service(request), _answer_key(request, key)
    body_hash = await _body_hash(request)
    known = await _claim(found, answer_key, body_hash)
    if known is not None:
        return known
    request.state.command_id = hashlib.sha256(answer_key.encode()).hexdigest()[:32]
    try:
        return await _keep(found, answer_key, await call_next(request))
    except BaseException:
        await found.write(lambda connection: answers.forget(connection, answer_key))
        raise


def _answer_key(request: Request, key: str) -> str:
    caller = identify(request)
    scope = [caller.kind, caller.name, request.method, request.url.path] if caller else ["public"]
    return hashlib.sha256("\n".join([*scope, key]).encode()).hexdigest()


async def _body_hash(request: Request) -> str:
    what = f"{request.method} {request.url.path}\n".encode() + await limited(request)
    return hashlib.sha256(what).hexdigest()


async def _claim(found: Service, answer_key: str, body_hash: str) -> Response | None:
    """The remembered answer, or None when this request is the one to do it; a second request waits for the first."""
    while True:
        row = await found.write(lambda c: answers.claim(c, answer_key, body_hash, found.now(), LEASE))
        if row is None:
            return None
        if row["body_hash"] != body_hash:
            raise Problem(
                422, "key_with_other_body", errors=[{"field": HEADER, "detail": "used with another body"}]
            )
        if row["status"] is not None:
            headers = {**row["headers"], REPLAYED: "true"}
            return Response(row["body"], row["status"], headers)
        await asyncio.sleep(0.1)


async def _keep(found: Service, answer_key: str, answer: Response) -> Response:
    body = b"".join([chunk async for chunk in answer.body_iterator])  # type: ignore[attr-defined]
    if 200 <= answer.status_code < 300:
        headers: dict[str, Any] = {
            name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers
        }
        now, kept = found.now(), timedelta(hours=policy.current().api.idempotency_hours)
        await found.write(
            lambda c: answers.keep(c, answer_key, answer.status_code, headers, body.decode(), now, kept)
        )
    else:
        await found.write(lambda connection: answers.forget(connection, answer_key))
    return Response(body, answer.status_code, dict(answer.headers))

"""`Idempotency-Key`: the same request again is answered again and not done again, across restarts."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.callers import anybody, identify
from api.faults import Fault
from api.guard import whole
from api.paths import MAY_HAVE_TOKEN, takes_public_posts
from api.problems import PART_DOWN, Problem, document, unavailable, wrong
from api.service import Service, service
from rules import ids, policy
from store import answers
from store.lines import GONE

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
LEASE = timedelta(seconds=20)
"""Renewed as long as a request takes: after a crash whoever asks again waits for so long."""

LONGEST_KEY = 200
KEPT_HEADERS = ("content-type", "location", "cache-control")
# Which answers may name passport IDs. What is longer, or has other signs, is nobody's ID, and no index need take it.
_ABOUT = re.compile(r"/v1/contracts/([\w-]{1,100})/(?:passport-ids|procedures)\b", re.ASCII)

Next = Callable[[Request], Awaitable[Response]]


async def once(request: Request, call_next: Next) -> Response:
    """Middleware. Keys are by caller, method and path, those of public calls by key alone; only 2xx answers are kept."""
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        return await call_next(request)
    try:
        scope = _scope(request)
        # Who must sign in first hears so from the route, before the key is judged or the body is read.
        return await (_once(request, call_next, scope, key) if scope else call_next(request))
    except Problem as problem:
        return document(problem, request)
    except PART_DOWN:
        return document(unavailable(), request)


def _scope(request: Request) -> list[str] | None:
    """Whose keys are told from whose; None where somebody must sign in first. Raises 401 for a token that does not hold.

    A public call is by key alone, whoever makes it: somebody may have signed in between one try and the next.
    """
    path = request.scope["path"]
    if path in MAY_HAVE_TOKEN:
        anybody(request)
    if takes_public_posts(path):
        return ["public"]
    caller = identify(request)
    return [caller.kind, caller.name, request.method, request.url.path] if caller else None


async def _once(request: Request, call_next: Next, scope: list[str], key: str) -> Response:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise wrong(HEADER, "length", least=1, most=LONGEST_KEY)
    found, answer_key = service(request), hashlib.sha256("\n".join([*scope, key]).encode()).hexdigest()
    body_hash = await _body_hash(request)
    claim = await _claim(found, answer_key, body_hash, _contract_id(request))
    if claim.row["status"] == GONE:
        raise Problem(GONE, "gone")
    if not claim.mine:
        return Response(claim.row["body"], claim.row["status"], {**claim.row["headers"], REPLAYED: "true"})
    what = f"{answer_key}\n{body_hash}\n{claim.received_at.isoformat()}"
    request.state.command_id = ids.in_order(claim.received_at, hashlib.sha256(what.encode()).hexdigest())
    try:
        async with _leased(found, answer_key, claim.received_at):
            answer = await call_next(request)
        return await _keep(found, answer_key, claim.received_at, answer)
    except BaseException:
        await found.write(lambda c: answers.leave(c, answer_key, claim.received_at, found.now()))
        raise


def _lease(found: Service) -> timedelta:
    return LEASE * found.settings.clock_speed


@asynccontextmanager
async def _leased(found: Service, answer_key: str, received_at: datetime) -> AsyncIterator[None]:
    """Nobody else takes the key meanwhile."""
    over = asyncio.Event()

    async def renew() -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LEASE.total_seconds() / 4)
                return
            with suppress(*PART_DOWN):
                await found.write(
                    lambda c: answers.renew(c, answer_key, received_at, found.now() + _lease(found))
                )

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        over.set()
        await renewing


def _contract_id(request: Request) -> str | None:
    """The contract whose passport IDs an answer may name: it is forgotten with what was deleted there (COL-7)."""
    found = _ABOUT.match(request.url.path)
    return found[1] if found else None


async def _body_hash(request: Request) -> str:
    """Keyed: a body has passwords in it, and a few letters are soon tried against a hash that anybody can make."""
    what = f"{request.method} {request.url.path}\n".encode() + await whole(request)
    return service(request).credentials.fingerprint(what)


async def _claim(found: Service, answer_key: str, body_hash: str, contract_id: str | None) -> answers.Claim:
    """A second request waits for the first. Raises 422 where the key stands for another body."""
    while True:
        claim = await found.write(
            lambda c: answers.claim(c, answer_key, body_hash, found.now(), _lease(found), contract_id)
        )
        if not claim.mine and claim.row["body_hash"] != body_hash and claim.row["status"] != GONE:
            raise Problem(422, "key_with_other_body", faults=[Fault(HEADER, "other_body")])
        if claim.mine or claim.row["status"] is not None:
            return claim
        await asyncio.sleep(0.1)


async def _keep(found: Service, answer_key: str, received_at: datetime, answer: Response) -> Response:
    body = b"".join([chunk async for chunk in answer.body_iterator])  # type: ignore[attr-defined]
    if 200 <= answer.status_code < 300:
        headers: dict[str, Any] = {
            name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers
        }
        now, kept = found.now(), timedelta(hours=policy.current().api.idempotency_hours)
        told = answer.status_code, headers, body.decode()
        await found.write(lambda c: answers.keep(c, answer_key, received_at, *told, now, kept))
    else:
        await found.write(lambda c: answers.leave(c, answer_key, received_at, found.now()))
    return Response(body, answer.status_code, dict(answer.headers))

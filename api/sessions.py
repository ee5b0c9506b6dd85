"""Signing in (IDN-3 to IDN-5)."""

from __future__ import annotations

import asyncio
import hmac
import math
from datetime import datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints, model_validator
from sqlalchemy import Connection

from api import shapes
from api.bodies import Body, read, takes
from api.callers import issue
from api.faults import unfit
from api.problems import HOW_TO_SIGN_IN, Problem
from api.service import Service, service
from credentials import password_matches
from rules import policy
from rules.session import may_sign_in
from store import accounts, contracts, lines, locks

router = APIRouter(tags=["Signing in"])
NOBODY = "nobody"
"""Who an unknown ID stands for: whatever is asked about somebody is asked about nobody too (IDN-4)."""
REFUSED_SECONDS = 0.05
"""How long a refused login keeps its place, of which a process has one: a flood of them leaves most of its time to others."""

Secret = Annotated[str, StringConstraints(min_length=1, max_length=200)]


PAIRS = ("login_id", "password"), ("customer_id", "access_key")


class SignIn(Body):
    """Login ID and password, or a line's customer ID and access key."""

    login_id: Secret | None = None
    password: Secret | None = None
    customer_id: Secret | None = None
    access_key: Secret | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> SignIn:
        given = self.model_fields_set
        if given not in [set(pair) for pair in PAIRS] or None in self.pair():
            raise unfit("sign_in_pair", fields=self._lacking())
        return self

    def _lacking(self) -> list[str]:
        """The other half of a pair, where only one was begun; else it may be any."""
        given = {name for name, value in self if value is not None}
        begun = [pair for pair in PAIRS if given and given < set(pair)]
        return [name for pair in begun or PAIRS for name in pair if name not in given or not begun]

    def pair(self) -> tuple[str | None, str | None]:
        return self.login_id or self.customer_id, self.password or self.access_key


EXAMPLE = {"login_id": "KYABCDEFGH", "password": "from the mail"}


@router.post("/v1/sessions", status_code=201, openapi_extra=takes(SignIn, EXAMPLE), summary="Sign in")
async def sign_in(request: Request) -> JSONResponse:
    """A wrong part is never named; ten wrong tries lock the ID for a while, whether it exists or not."""
    given, found = await read(request, SignIn), service(request)
    async with found.signing_in:
        try:
            return await _judged(found, given)
        except Problem:
            await asyncio.sleep(REFUSED_SECONDS)
            raise


async def _judged(found: Service, given: SignIn) -> JSONResponse:
    """The session. Raises 401 and 429."""
    subject = found.credentials.subject("login", str(given.pair()[0]))
    now = found.now()
    refuse_locked(await found.read(lambda connection: locks.locked_until(connection, subject, now)), now)
    account_id = await (_account if given.login_id else _line_account)(found, given)
    right = account_id is not None
    tried = await found.write(lambda c: locks.tried(c, subject, right, now, policy.current()))
    # Others may have used up the tries while this one was being looked at.
    refuse_locked(tried, now)
    if account_id is None:
        raise Problem(401, "login_refused", HOW_TO_SIGN_IN, rule="IDN-4")
    return await _session(found, account_id)


def refuse_locked(until: datetime | None, now: datetime) -> None:
    """Raises 429 where a lock holds (IDN-5)."""
    if until:
        wait = math.ceil((until - now).total_seconds())
        raise Problem(429, "login_locked", {"Retry-After": str(wait)}, rule="IDN-5")


async def _account(found: Service, given: SignIn) -> str | None:
    known = await found.read(lambda connection: accounts.by_login_id(connection, str(given.login_id)))
    account_id, stored = known or (NOBODY, None)
    matches = await run_sync(password_matches, stored, str(given.password), limiter=found.argon2)
    return await _open_account(found, account_id if matches else NOBODY)


async def _line_account(found: Service, given: SignIn) -> str | None:
    """The key is derived again and compared, for a line that is not there too."""
    known = await found.read(lambda connection: lines.by_customer_id(connection, str(given.customer_id)))
    account_id, contract_id, issue = known or (NOBODY, NOBODY, 0)
    key = found.credentials.access_key(contract_id, issue)
    matches = hmac.compare_digest(key.encode(), str(given.access_key).encode())
    return await _open_account(found, account_id if matches and issue else NOBODY)


async def _open_account(found: Service, account_id: str) -> str | None:
    """The account, if it may be signed in to. Looked for in any case: time must not tell that only this was wrong."""
    return account_id if await found.read(lambda c: _still_open(c, account_id, found.now())) else None


def _still_open(connection: Connection, account_id: str, now: datetime) -> bool:
    return may_sign_in(contracts.of_account(connection, account_id), now, policy.current())


async def _session(found: Service, account_id: str) -> JSONResponse:
    now = found.now()
    token, expires_at = issue(found.credentials, account_id, now, policy.current().login.session_hours)
    mine = await found.read(lambda connection: contracts.of_account(connection, account_id))
    shown: dict[str, Any] = {
        "token": token,
        "expires_at": shapes.iso(expires_at),
        "contracts": [shapes.brief(contract, now) for contract in mine],
    }
    return JSONResponse(shown, 201, {"Cache-Control": "no-store"})

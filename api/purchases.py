"""Content providers have a purchase taken (MAT-4 to MAT-6)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from sqlalchemy import Connection, RowMapping

from api import commands, line
from api.bodies import Body, read, takes
from api.callers import provider
from api.problems import Problem, refused
from api.service import Service, service
from api.sessions import refuse_locked
from credentials import Credentials, password_matches
from rules import policy
from rules.fields import Words
from rules.refusal import Refusal
from store import locks, passport_ids, purchases

router = APIRouter(tags=["Purchases"])
Yen = Annotated[int, Field(ge=0, le=10_000_000)]


class Purchase(Body):
    name: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=200)]
    provider: Words
    item: Words
    kind: Literal["one_off", "monthly"]
    amount: Annotated[int, Field(ge=1, le=10_000_000)]
    cancellation_fee: Yen = 0


EXAMPLE = {
    "name": "hanako-1",
    "password": "sakura88",
    "provider": "Eiga Channel",
    "item": "Film 001",
    "kind": "one_off",
    "amount": 500,
}


@router.post(
    "/v1/purchases", status_code=201, openapi_extra=takes(Purchase, EXAMPLE), summary="Have a purchase taken"
)
async def take(request: Request) -> JSONResponse:
    """A wrong name or password is 403, the same for both; whatever a rule refuses is 409, and refused whole."""
    provider(request)
    given, found = await read(request, Purchase), service(request)
    passport = await _passport(found, given)
    values: dict[str, Any] = given.model_dump(exclude={"name", "password"})
    values["purchase_id"] = f"u-{commands.command_id(request)}"
    from_line = line.comes_from(request, passport["contract_id"])
    now = found.now()
    with suppress(purchases.Again):
        await _taken(found, lambda connection: purchases.take(connection, passport, values, from_line, now))
    return JSONResponse({"purchase_id": values["purchase_id"]}, 201)


async def _taken(found: Service, take: Callable[[Connection], Refusal | None]) -> None:
    try:
        no = await found.write(take)
    except purchases.Gone:
        raise Problem(403, "purchase_refused") from None
    if no:
        raise refused(no)


async def _passport(found: Service, given: Purchase) -> RowMapping:
    """The ID, if name and password are right. Ten wrong passwords lock it, or the name where nobody has it (IDN-5)."""
    now = found.now()
    row, until, failures = await found.read(lambda c: _look(c, found.credentials, given.name, now))
    refuse_locked(until, now)
    subject = tried_for(found.credentials, given.name, row)
    stored = row["password_hash"] if row else None
    right = await run_sync(password_matches, stored, given.password, limiter=found.argon2_purchases)
    if failures or not right:
        tried = await found.write(lambda c: locks.tried(c, subject, right, now, policy.current()))
        refuse_locked(tried, now)
    if row is None or not right:
        raise Problem(403, "purchase_refused")
    return row


def _look(
    connection: Connection, credentials: Credentials, name: str, now: datetime
) -> tuple[RowMapping | None, datetime | None, int]:
    """The ID of that name, the end of a lock on it, and how many wrong tries there were."""
    row = passport_ids.by_name(connection, name)
    return row, *locks.standing(connection, tried_for(credentials, name, row), now)


def tried_for(credentials: Credentials, name: str, row: RowMapping | None) -> str:
    """What wrong passwords are counted for: the ID, which may be renamed meanwhile; the name where nobody has it."""
    if row is None:
        return credentials.subject("passport", name)
    return credentials.subject("passport_id", row["passport_id"])

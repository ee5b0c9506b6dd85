"""Joining the members' club: by a link that is mailed, or by easy entry (PNT-1)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, StringConstraints
from sqlalchemy import Connection, RowMapping

from api import commands, health, shapes
from api.bodies import Body, read, takes
from api.callers import customer
from api.faults import unfit
from api.language import language
from api.points import own_line, still_there
from api.problems import not_found, refused, unavailable
from api.service import Service, service
from credentials import hash_password
from gate import Refused
from rules import membership, policy
from rules.change import Advance
from rules.change import Request as Ask
from rules.facts import Contract
from rules.fields import Email, Phone, Words
from store import accounts, contracts, members
from workflows import kinds

router = APIRouter(tags=["Membership"])
ANSWERED_AFTER = 0.5
"""Seconds from an easy entry to its answer, so that nobody can tell by the time whether a line was found."""


def _password(password: str) -> str:
    if password != password.strip():
        raise unfit("space_at_end")
    return password


class Membership(Body):
    email: Email


class EasyEntry(Body):
    email: Email
    name: Words
    phone: Phone


class Opening(Body):
    password: Annotated[str, StringConstraints(min_length=8, max_length=200), AfterValidator(_password)]


@router.post(
    "/v1/contracts/{contract_id}/membership",
    status_code=202,
    openapi_extra=takes(Membership, {"email": "hanako@example.jp"}),
    summary="Join the members' club",
)
async def ask(request: Request, contract_id: str) -> JSONResponse:
    """A link is mailed at once; until it is opened nobody is a member."""
    caller = customer(request)
    contract = await own_line(request, caller, contract_id)
    given, found = await read(request, Membership), service(request)
    still_there(contract)
    answer = await commands.repeated(request)
    if answer is None:
        try:
            answer = await commands.ask(
                request, contract, *_asked(request, caller.by, given.email, easy=False)
            )
        except Refused as no:
            raise refused(no.refusal) from None
    shown = await found.read(lambda c: _procedure(c, request, answer.procedure_id))
    return JSONResponse(shown, 202, {"Location": f"/v1/procedures/{answer.procedure_id}"})


def _procedure(connection: Connection, request: Request, procedure_id: str) -> dict[str, Any]:
    row = contracts.procedure(connection, procedure_id, None)
    assert row is not None, "it was accepted"
    stored = contracts.snapshot(connection, row["contract_id"])
    shown = shapes.procedure(row, stored, service(request).now(), language(request))
    del shown["contract_id"]
    return shown


def _asked(request: Request, by: str, email: str, easy: bool) -> tuple[Ask, dict[str, Any]]:
    """The command, and what goes to the store and nowhere else."""
    found, command = service(request), commands.command_id(request)
    token = found.credentials.membership_token(f"p-{command}")
    personal = {"membership": {"email": email, "link": _link(found, token)}}
    return Ask(**commands.head(found, command, by), kind="membership", body={"easy": easy}), personal


def _link(found: Service, token: str) -> str:
    """What stands in the store for a link: whoever reads it there cannot open anything with it."""
    return found.credentials.subject("membership", token)


@router.post(
    "/v1/memberships",
    status_code=202,
    openapi_extra=takes(
        EasyEntry, {"email": "hanako@example.jp", "name": "山田 花子", "phone": "0312345678"}
    ),
    summary="Easy entry, without signing in",
)
async def easy(request: Request) -> JSONResponse:
    """An operator checks it and has the link mailed. The answer is the same whether or not there is such a line."""
    given, found = await read(request, EasyEntry), service(request)
    if not all((await health.answering(found)).values()):
        raise unavailable()
    now = found.now()
    await asyncio.gather(_sent_for_check(request, given), asyncio.sleep(ANSWERED_AFTER))
    checked_by = membership.checked_by(now, policy.current())
    return JSONResponse({"state": "requested", "due_at": shapes.iso(checked_by)}, 202)


async def _sent_for_check(request: Request, given: EasyEntry) -> None:
    """Where there is no such line, or it is a member's already, nothing happens, and nobody hears of it."""
    found = service(request)
    contract = await found.read(lambda connection: members.line_of(connection, given.name, given.phone))
    if contract is None or await commands.repeated(request):
        return
    try:
        await commands.ask(request, contract, *_asked(request, "customer", given.email, easy=True))
    except Refused:
        return


@router.post(
    "/v1/memberships/{link_token}",
    openapi_extra=takes(Opening, {"password": "sakura-2026"}),
    summary="Open a registration link",
)
async def open_link(request: Request, link_token: str) -> dict[str, Any]:
    """Good once, for seven days. The password is that of the login from now on (IDN-3)."""
    found = service(request)
    link = await found.read(lambda c: members.by_link(c, _link(found, link_token)))
    if link is None:
        raise not_found()
    given = await read(request, Opening)
    if not await commands.repeated(request):
        await _open(request, link, given.password)
    return await found.read(lambda connection: _member(connection, link["contract_id"]))


async def _open(request: Request, link: RowMapping, password: str) -> None:
    found, command = service(request), commands.command_id(request)
    stored = await found.read(lambda connection: contracts.snapshot(connection, link["contract_id"]))
    present = kinds.as_of(stored, found.now())
    if no := kinds.cannot_advance(present, link["procedure_id"], "open_link"):
        raise refused(no)
    login_id = await found.read(lambda connection: _login_id(connection, found, link["contract_id"]))
    hashed = await run_sync(hash_password, password, limiter=found.argon2)
    advance = Advance(
        **commands.head(found, command, "customer"), procedure_id=link["procedure_id"], event="open_link"
    )
    personal = {"login": {"login_id": login_id, "password_hash": hashed}}
    try:
        await commands.advance(request, link["contract_id"], advance, personal)
    except Refused as fault:
        raise refused(fault.refusal) from None


def _login_id(connection: Connection, found: Service, contract_id: str) -> str:
    """For an account that has none yet."""
    account_id = accounts.of_contract(connection, contract_id)
    return accounts.unused_login_id(connection, found.credentials.login_ids(account_id))


def _member(connection: Connection, contract_id: str) -> dict[str, Any]:
    stored: Contract = contracts.snapshot(connection, contract_id)
    known = accounts.login(connection, accounts.of_contract(connection, contract_id))
    since: datetime | None = stored.member_since
    return {"login_id": known[0] if known else None, "member_since": shapes.iso(since)}

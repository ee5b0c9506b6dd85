"""What operators do for lines: the other operator's part of a conversion, and new access keys by telephone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from api import commands, shapes
from api.bodies import Body, read
from api.callers import operator
from api.language import language
from api.problems import not_found, refused
from api.service import service
from gate import Refused
from rules.change import Advance
from rules.change import Request as Ask
from rules.refusal import Refusal
from store import contracts, lines

router = APIRouter(prefix="/operator/v1", tags=["Operators"])
REACHED = {"take_up": ("taken_up", "converted"), "switch_over": ("converted",)}


@router.post("/conversions/{number}/take-up", summary="The other operator accepts an approval number")
async def take_up(request: Request, number: str) -> dict[str, Any]:
    """Repeated, it answers as before (COL-2)."""
    return await _advance(request, number, "take_up")


@router.post("/conversions/{number}/switch-over", summary="The line is switched over")
async def switch_over(request: Request, number: str) -> dict[str, Any]:
    """IDs, points and what else hangs on the line end at this instant, all or nothing (COL-3, COL-6)."""
    return await _advance(request, number, "switch_over")


async def _advance(request: Request, number: str, event: str) -> dict[str, Any]:
    caller, found = operator(request), service(request)
    known = await found.read(lambda connection: lines.by_number(connection, number))
    if known is None:
        raise not_found()
    await read(request, Body)
    shown = await _procedure(request, known["procedure_id"])
    if shown["state"] in REACHED[event]:
        return shown
    command = commands.command_id(request)
    head = commands.head(found, command, caller.by)
    refusal: Refusal | None = None
    try:
        await commands.advance(
            request, known["contract_id"], Advance(**head, procedure_id=known["procedure_id"], event=event)
        )
    except Refused as no:
        refusal = no.refusal
    shown = await _procedure(request, known["procedure_id"])
    # The same step, asked for at the same moment, may be what was in the way: then it is a repeated one.
    if refusal and shown["state"] not in REACHED[event]:
        raise refused(refusal)
    return shown


async def _procedure(request: Request, procedure_id: str) -> dict[str, Any]:
    now, words = service(request).now(), language(request)

    def look(connection: Connection) -> dict[str, Any] | None:
        row = contracts.procedure(connection, procedure_id, None)
        if row is None:
            return None
        # Without names: the answer may be remembered, and outlive what it would name (COL-7).
        return shapes.procedure(row, contracts.snapshot(connection, row["contract_id"]), now, words)

    found = await service(request).read(look)
    if found is None:
        raise not_found()
    return found


@router.post("/contracts/{contract_id}/access-key", summary="A new access key by post")
async def access_key(request: Request, contract_id: str) -> dict[str, Any]:
    """On a telephone application, inside its hours (IDN-2). The old key stops working now."""
    caller, found = operator(request), service(request)
    contract = await found.read(lambda connection: contracts.owned(connection, contract_id, None))
    if contract is None or contract.product != "line":
        raise not_found()
    await read(request, Body)
    head = commands.head(found, commands.command_id(request), caller.by)
    try:
        await commands.ask(request, contract, Ask(**head, kind="access_key", body={}))
    except Refused as no:
        raise refused(no.refusal) from None
    return {"contract_id": contract_id, "issued_at": shapes.iso(found.now())}

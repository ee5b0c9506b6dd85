"""Payments that arrived outside, and what was told to providers of such as never did (BIL-3, MAT-12)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from sqlalchemy import Connection, RowMapping

from api import commands, shapes
from api.bodies import Body, Instant, read, takes
from api.callers import operator
from api.pages import asked, page
from api.problems import not_found
from api.service import Service, service
from store import bills, contracts, disclosures

router = APIRouter(prefix="/operator/v1", tags=["Operators"])
EXAMPLE = {"billing_number": "012345678901232612", "amount": 5720, "paid_at": "2027-01-28T14:30:00+09:00"}


class ArrivedPayment(Body):
    billing_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    amount: Annotated[int, Field(ge=1, le=100_000_000)]
    paid_at: Instant


@router.post(
    "/contracts/{contract_id}/payments",
    status_code=201,
    openapi_extra=takes(ArrivedPayment, EXAMPLE),
    summary="A payment that arrived outside",
)
async def pay(request: Request, contract_id: str) -> JSONResponse:
    """By transfer or at a shop. It is for its bill first, then for the oldest other that is open; `over` is what is left.

    Whether it was in time is judged now; `paid_at` is the date that the statement shows.
    """
    caller, found = operator(request), service(request)
    if await found.read(lambda connection: contracts.owned(connection, contract_id, None)) is None:
        raise not_found()
    given = await read(request, ArrivedPayment)
    statement = await found.read(
        lambda connection: bills.by_number(connection, contract_id, given.billing_number)
    )
    if statement is None:
        raise not_found()
    command = commands.head(found, commands.command_id(request), caller.by)
    if not await commands.repeated(request):
        what = {
            "event": "payment",
            "period": statement["period"],
            "at": given.paid_at,
            "amount": given.amount,
        }
        await commands.bill(request, contract_id, command | what)
    return JSONResponse(await _taken(found, contract_id, command["command_id"], given), 201)


async def _taken(found: Service, contract_id: str, command_id: str, given: ArrivedPayment) -> dict[str, Any]:
    def look(connection: Connection) -> tuple[list[RowMapping], str]:
        rows = bills.paid_with(connection, contract_id, command_id)
        return rows, contracts.snapshot(connection, contract_id).state

    rows, state = await found.read(look)
    return {
        "contract_id": contract_id,
        "billing_number": given.billing_number,
        "amount": given.amount,
        "paid_at": shapes.iso(given.paid_at),
        "paid": [_share(row) for row in rows if row["kind"] != "over"],
        "over": sum(row["amount"] for row in rows if row["kind"] == "over"),
        "state": state,
    }


def _share(row: RowMapping) -> dict[str, Any]:
    return {
        "billing_number": row["billing_number"],
        "period": row["period"],
        "amount": row["amount"],
        "paid_on": shapes.day(row["paid_on"]),
    }


@router.get("/disclosures", summary="What was told to which provider, and why")
async def disclosed(request: Request, contract_id: str | None = None) -> dict[str, Any]:
    """Purchases that were still unpaid after the time that the policy says; the oldest first (MAT-12)."""
    operator(request)
    limit, after = asked(request)
    rows = await service(request).read(
        lambda c: disclosures.of_contract(c, contract_id or None, limit, after)
    )
    return page(rows, limit, disclosures.place, _disclosure)


def _disclosure(row: RowMapping) -> dict[str, Any]:
    return {
        "contract_id": row["contract_id"],
        "purchase_id": row["purchase_id"],
        "provider": row["provider"],
        "period": row["period"],
        "amount": row["amount"],
        "at": shapes.iso(row["at"]),
        "reason": "unpaid",
    }

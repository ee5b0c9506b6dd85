"""Statements of the last twelve closed months, as JSON and as PDF, and receipts (BIL-1, MAT-11, RNT-16)."""

from __future__ import annotations

import re
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, RowMapping

from api import shapes
from api.callers import customer, operator
from api.contracts import own
from api.language import language
from api.pages import page_of_all
from api.problems import Problem, not_found, refused
from api.service import service
from outside import statement_pdf
from rules import jobs, policy, statement, texts
from rules.facts import Contract
from rules.receipts import refusal as receipt_refusal
from store import bills, contracts, parties

router = APIRouter(tags=["Statements"])
PDF = "application/pdf"
_PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@router.get("/v1/contracts/{contract_id}/statements", summary="Statements of the last twelve closed months")
async def listed(request: Request, contract_id: str) -> dict[str, Any]:
    """The newest first. The running month has none yet."""
    await own(request, customer(request), contract_id)
    return await _list(request, contract_id)


@router.get("/v1/contracts/{contract_id}/statements/{month}.pdf", summary="A month's statement as PDF")
async def as_pdf(request: Request, contract_id: str, month: str) -> Response:
    """In Japanese or English, by `Accept-Language`."""
    await own(request, customer(request), contract_id)
    return await _pdf(request, contract_id, month)


@router.get("/v1/contracts/{contract_id}/statements/{month}", summary="A month's statement")
async def one(request: Request, contract_id: str, month: str) -> dict[str, Any]:
    """`month` is `yyyy-mm`. Once made it changes no more, but for `paid_on`."""
    await own(request, customer(request), contract_id)
    return await _found(request, contract_id, month)


@router.get("/operator/v1/contracts/{contract_id}/statements", summary="A contract's statements")
async def seen(request: Request, contract_id: str) -> dict[str, Any]:
    """As its customer sees them."""
    await _any(request, contract_id)
    return await _list(request, contract_id)


@router.get("/operator/v1/contracts/{contract_id}/statements/{month}.pdf", summary="A statement as PDF")
async def seen_pdf(request: Request, contract_id: str, month: str) -> Response:
    await _any(request, contract_id)
    return await _pdf(request, contract_id, month)


@router.get(
    "/operator/v1/contracts/{contract_id}/statements/{month}", summary="One of a contract's statements"
)
async def seen_one(request: Request, contract_id: str, month: str) -> dict[str, Any]:
    await _any(request, contract_id)
    return await _found(request, contract_id, month)


@router.get("/v1/contracts/{contract_id}/receipts/{month}.pdf", summary="A receipt, for card payments")
async def receipt(request: Request, contract_id: str, month: str) -> Response:
    """For the statement of that month, once it was paid by card; there is none for other payments (RNT-16)."""
    contract = await own(request, customer(request), contract_id)
    paid = await service(request).read(lambda connection: bills.by_card(connection, contract_id, month))
    if paid is None:
        raise await _no_receipt(request, contract, month)
    party = await service(request).read(lambda connection: parties.of_contract(connection, contract_id))
    words = language(request)
    name = texts.addressed(party["name"], party["kind"], words)
    made = await run_sync(statement_pdf.receipt, contract_id, month, name, *paid, words)
    return Response(made, media_type=PDF)


async def _no_receipt(request: Request, contract: Contract, month: str) -> Problem:
    """By how that month's statement is paid, if there is one, else by how the contract is paid."""
    row = await service(request).read(lambda c: bills.statement(c, contract.contract_id, month))
    method = row["payment_method"] if row else contract.payment_method
    no = receipt_refusal(method)
    return refused(no) if no else Problem(404, "no_receipt")


async def _any(request: Request, contract_id: str) -> None:
    """An operator may look at any contract."""
    operator(request)
    if await service(request).read(lambda c: contracts.owned(c, contract_id, None)) is None:
        raise not_found()


async def _list(request: Request, contract_id: str) -> dict[str, Any]:
    found = service(request)
    today = statement.shown_on(found.now())
    since, before = statement.shown_since(today, policy.current()), jobs.month(today)
    rows = await found.read(lambda connection: bills.months(connection, contract_id, since, before))
    return page_of_all(rows, request, _brief)


def _brief(row: RowMapping) -> dict[str, Any]:
    return {
        "period": row["period"],
        "total_with_tax": row["total_with_tax"],
        "due_on": shapes.day(row["due_on"]),
        "paid_on": shapes.day(row["paid_on"]),
    }


async def _found(request: Request, contract_id: str, month: str) -> dict[str, Any]:
    """As callers see it. Raises 404 for the running month, and for what is older than twelve closed ones (BIL-1)."""
    found = service(request)
    today = statement.shown_on(found.now())
    if not _PERIOD.fullmatch(month) or not statement.shown(month, today, policy.current()):
        raise not_found()

    words = language(request)

    def look(connection: Connection) -> dict[str, Any] | None:
        row = bills.statement(connection, contract_id, month)
        return bills.shown(connection, row, words) if row else None

    there = await found.read(look)
    if there is None:
        raise not_found()
    return there


async def _pdf(request: Request, contract_id: str, month: str) -> Response:
    words, there = language(request), await _found(request, contract_id, month)
    party = await service(request).read(lambda connection: parties.of_contract(connection, contract_id))
    name = texts.addressed(party["name"], party["kind"], words)
    made = await run_sync(statement_pdf.statement, there, name, words)
    return Response(made, media_type=PDF)

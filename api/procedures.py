"""Procedures: what they would lead to, asking for them, how they run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, RowMapping

from api import commands, shapes
from api.asked import ASKED, BODIES, PREVIEWED, Asked, asked, fingerprint, plain, split
from api.bodies import takes_one_of
from api.callers import Caller, customer
from api.contracts import own
from api.language import language
from api.pages import page_of_all
from api.problems import Problem, not_found, refused
from api.queues import queue
from api.service import Service, service
from api.shapes import Names
from gate import Refused
from machines import diagram
from rules import beside, decision, policy
from rules.change import Answer, Holdings
from rules.change import Request as Ask
from rules.effects import consent
from rules.facts import Contract
from rules.refusal import Refusal
from store import contracts, lines, passport_ids
from store import points as ledger
from workflows import kinds
from workflows.step import MACHINES

router = APIRouter(tags=["Procedures"])
Facts = tuple[Contract, Holdings, Names]

Kind = Annotated[str, Path(json_schema_extra={"enum": list(BODIES)})]


@router.post(
    "/v1/contracts/{contract_id}/procedures/{kind}/preview",
    openapi_extra=takes_one_of(PREVIEWED, required=False),
    summary="What a request would lead to",
)
async def preview(request: Request, contract_id: str, kind: Kind) -> dict[str, Any]:
    """The effects and the consent to send along; or the refusal that the request would meet. Changes nothing."""
    contract = await own(request, customer(request), contract_id)
    body = await asked(request, contract.product, kind)
    await _is_there(request, contract, kind, body)
    return await _preview(request, contract_id, kind, body)


async def _judged_by(found: Service, contract_id: str, now: datetime) -> Facts:
    """The facts for preview and act alike.

    Points that a late run owes are among what is lost. They are written first, as for whoever looks at them (PNT-10): the
    look would outdate the consent otherwise.
    """

    def look(connection: Connection) -> tuple[Facts, bool]:
        facts = _facts(connection, contract_id, now)
        line = facts[0].product == "line"
        return facts, line and ledger.owes(connection, contract_id, now, policy.current())

    def made_up_for(connection: Connection) -> Facts:
        ledger.catch_up(connection, contract_id, now, policy.current())
        return _facts(connection, contract_id, now)

    facts, behind = await found.read(look)
    return await found.write(made_up_for) if behind else facts


def _facts(connection: Connection, contract_id: str, now: datetime) -> Facts:
    """A contract, what hangs on it and how that is called: in one transaction, or half of a switch-over shows (COL-6)."""
    contract = contracts.snapshot(connection, contract_id)
    if contract.product != "line":
        return contract, Holdings(), {}
    return contract, lines.holdings(connection, contract_id, now), _names(connection, contract, now)


def _names(connection: Connection, contract: Contract, now: datetime) -> Names:
    """None of a line that is over by its dates, whether or not anybody has written that down yet (LIN-4, COL-7)."""
    over = kinds.as_of(contract, now).state in beside.OVER
    return {} if over else lines.names(connection, contract.contract_id)


async def _preview(request: Request, contract_id: str, kind: str, body: Asked) -> dict[str, Any]:
    now, words = service(request).now(), language(request)
    contract, holdings, named = await _judged_by(service(request), contract_id, now)
    found = decision.decide(kinds.as_of(contract, now), kind, plain(body), now, policy.current(), holdings)
    if isinstance(found, Refusal):
        raise refused(found)
    meant = plain(body) if kind in decision.CONSENTED else fingerprint(service(request), body)
    return {
        "effects": [shapes.effect(effect, words, named) for effect in found],
        "consent": consent(contract_id, kind, meant, decision.agreed_to(kind, found, now)),
    }


async def _is_there(request: Request, contract: Contract, kind: str, body: Asked) -> None:
    """Raises 409 where the contract is over, and whatever hung on it is gone; 404 for an ID that it does not have."""
    if contract.state in beside.OVER:
        await _preview(request, contract.contract_id, kind, body)
    found, passport_id = service(request), plain(body).get("passport_id")
    if passport_id is None:
        return
    if not await found.read(lambda c: passport_ids.find(c, contract.contract_id, passport_id)):
        raise not_found()


@router.post(
    "/v1/contracts/{contract_id}/procedures/{kind}",
    status_code=202,
    openapi_extra=takes_one_of(ASKED, required=False),
    summary="Ask for a procedure",
)
async def begin(request: Request, contract_id: str, kind: Kind) -> JSONResponse:
    """Judged at the moment it is accepted. What takes something away for good needs the consent of a preview."""
    caller = customer(request)
    contract = await own(request, caller, contract_id)
    body = await asked(request, contract.product, kind)
    before = await commands.repeated(request)
    if before:
        return await _accepted(request, before, caller)
    await _is_there(request, contract, kind, body)
    if body.consent is not None and kind not in decision.CONSENTED:
        await _still_holds(request, contract_id, kind, body)
    found, command = service(request), commands.command_id(request)
    _, holdings, _ = await _judged_by(found, contract_id, found.now())
    public, personal = await split(found, body, contract_id, kind, command)
    head = commands.head(found, command, caller.by)
    ask = Ask(**head, kind=kind, body=public, consent=body.consent, holdings=holdings)
    try:
        answer = await commands.ask(request, contract, ask, personal)
    except Refused as no:
        raise await _refused(request, no.refusal, contract_id, kind, body) from None
    return await _accepted(request, answer, caller)


async def _still_holds(request: Request, contract_id: str, kind: str, body: Asked) -> None:
    """Raises 412 for a consent that nobody asked for and that is to something else, 409 as the preview does."""
    shown = await _preview(request, contract_id, kind, body)
    if body.consent != shown["consent"]:
        raise Problem(412, "consent_outdated", preview=shown)


async def _accepted(request: Request, answer: Answer, caller: Caller) -> JSONResponse:
    shown = await _shown(request, answer.procedure_id, caller)
    del shown["contract_id"], shown["history"]
    return JSONResponse(shown, 202, {"Location": f"/v1/procedures/{answer.procedure_id}"})


async def _refused(request: Request, refusal: Refusal, contract_id: str, kind: str, body: Asked) -> Problem:
    """428 without consent, 412 with one that holds no more and the preview that does, 409 otherwise."""
    if refusal.rule != "consent":
        return refused(refusal)
    if refusal.reason == "consent_missing":
        return Problem(428, refusal.reason)
    return Problem(412, refusal.reason, preview=await _preview(request, contract_id, kind, body))


async def _shown(request: Request, procedure_id: str, caller: Caller) -> dict[str, Any]:
    """A procedure as its owner sees it, with its history. Raises 404.

    In one transaction: a line that ends meanwhile is shown with all its names, or over and without (COL-6).
    """
    now, words = service(request).now(), language(request)

    def look(connection: Connection) -> dict[str, Any] | None:
        row = contracts.procedure(connection, procedure_id, caller.name)
        if row is None:
            return None
        stored, _, named = _facts(connection, row["contract_id"], now)
        shown = shapes.procedure(row, stored, now, words, named)
        if row["kind"] == "plan_change":
            shown["successor_contract_id"] = stored.successor_contract_id
        history = [shapes.move(move) for move in contracts.moves(connection, procedure_id)]
        return shown | {"history": history}

    found = await service(request).read(look)
    if found is None:
        raise not_found()
    return found


@router.get("/v1/contracts/{contract_id}/procedures", summary="A contract's procedures")
async def procedures(request: Request, contract_id: str) -> dict[str, Any]:
    await own(request, customer(request), contract_id)
    found, words = service(request), language(request)
    now = found.now()

    def look(connection: Connection) -> tuple[Contract, list[RowMapping], Names]:
        stored = contracts.snapshot(connection, contract_id)
        return stored, contracts.procedures(connection, contract_id), _names(connection, stored, now)

    stored, rows, named = await found.read(look)
    return page_of_all(rows, request, lambda row: shapes.procedure(row, stored, now, words, named))


@router.get("/v1/procedures/{procedure_id}", summary="How a procedure stands")
async def procedure(request: Request, procedure_id: str) -> dict[str, Any]:
    """With its history and, while it waits for an operator, how many wait ahead (BIL-7)."""
    shown = await _shown(request, procedure_id, customer(request))
    return shown | {"queue": await queue(service(request), shown)}


@router.get("/v1/procedures/{procedure_id}/diagram.svg", summary="The machine, the present state marked")
async def drawn(request: Request, procedure_id: str) -> Response:
    shown = await _shown(request, procedure_id, customer(request))
    picture = diagram.svg(MACHINES[shown["kind"]], shown["state"], language(request))
    return Response(picture, media_type="image/svg+xml")

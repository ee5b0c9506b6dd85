"""Procedures: what they would lead to, asking for them, how they run."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from api import commands, shapes
from api.applications import CourseCode, OptionCode, Payment, PlanCode
from api.bodies import Body, read, takes_one_of
from api.callers import Caller, customer
from api.contracts import own
from api.language import language
from api.pages import page_of_all
from api.problems import Problem, not_found, refused
from api.queues import queue
from api.service import service
from gate import Refused
from machines import diagram
from rules import beside, decision, policy
from rules.change import Answer
from rules.change import Request as Ask
from rules.effects import consent
from rules.facts import Contract
from rules.refusal import Refusal
from store import contracts
from workflows import kinds
from workflows.step import MACHINES

router = APIRouter(tags=["Procedures"])


class Asked(Body):
    consent: str | None = None


class PlanChange(Asked):
    plan: PlanCode
    course: CourseCode


class Cancellation(Asked):
    pass


class SupportOption(Asked):
    option: OptionCode | None


class PaymentMethod(Asked):
    payment: Payment


BODIES: dict[str, type[Asked]] = {
    "plan_change": PlanChange,
    "cancellation": Cancellation,
    "support_option": SupportOption,
    "payment_method": PaymentMethod,
}


EXAMPLES: dict[str, dict[str, Any]] = {
    "plan_change": {"plan": "wifi-50", "course": "standard"},
    "cancellation": {},
    "support_option": {"option": "support"},
    "payment_method": {"payment": {"method": "credit_card", "card_token": "tok_ok"}},
}
PREVIEWED = {kind: (BODIES[kind], example) for kind, example in EXAMPLES.items()}
ASKED = {
    kind: (BODIES[kind], example | ({"consent": "from the preview"} if kind in decision.CONSENTED else {}))
    for kind, example in EXAMPLES.items()
}
Kind = Annotated[str, Path(json_schema_extra={"enum": list(BODIES)})]


def _body(kind: str) -> type[Asked]:
    if kind not in BODIES:
        raise not_found()
    return BODIES[kind]


async def _asked(request: Request, contract_id: str, kind: str) -> tuple[Caller, Contract, Asked]:
    caller = customer(request)
    contract = await own(request, caller, contract_id)
    return caller, contract, await read(request, _body(kind))


@router.post(
    "/v1/contracts/{contract_id}/procedures/{kind}/preview",
    openapi_extra=takes_one_of(PREVIEWED),
    summary="What a request would lead to",
)
async def preview(request: Request, contract_id: str, kind: Kind) -> dict[str, Any]:
    """The effects and the consent to send along; or the refusal that the request would meet. Changes nothing."""
    _, contract, body = await _asked(request, contract_id, kind)
    return _preview(request, contract, kind, _plain(body))


def _plain(body: Asked) -> dict[str, Any]:
    """The body as rules and workflow see it: no consent, no card token."""
    plain = body.model_dump(exclude={"consent"})
    if isinstance(body, PaymentMethod):
        plain["payment"] = {"method": body.payment.method}
    return plain


def _preview(request: Request, contract: Contract, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    now = service(request).now()
    present = kinds.as_of(contract, now)
    found = decision.decide(present, kind, body, now, policy.current())
    if isinstance(found, Refusal):
        raise refused(found)
    words = language(request)
    return {
        "effects": [shapes.effect(effect, words) for effect in found],
        "consent": consent(contract.contract_id, kind, body, found),
    }


@router.post(
    "/v1/contracts/{contract_id}/procedures/{kind}",
    status_code=202,
    openapi_extra=takes_one_of(ASKED),
    summary="Ask for a procedure",
)
async def begin(request: Request, contract_id: str, kind: Kind) -> JSONResponse:
    """Judged at the moment it is accepted. What takes something away for good needs the consent of a preview."""
    caller, contract, body = await _asked(request, contract_id, kind)
    before = await commands.repeated(request)
    if before:
        return await _accepted(request, before, caller)
    if contract.state in beside.OVER:
        _preview(request, contract, kind, _plain(body))
    found, command = service(request), commands.command_id(request)
    plain, personal = _plain(body), None
    if isinstance(body, PaymentMethod):
        plain["payment"]["payment_id"] = f"pay-{command}"
        personal = {"payment": body.payment.model_dump() | {"payment_id": f"pay-{command}"}}
    ask = Ask(**commands.head(found, command, caller.by), kind=kind, body=plain, consent=body.consent)
    try:
        answer = await commands.ask(request, contract, ask, personal)
    except Refused as no:
        raise await _refused(request, no.refusal, contract_id, kind, plain) from None
    return await _accepted(request, answer, caller)


async def _accepted(request: Request, answer: Answer, caller: Caller) -> JSONResponse:
    shown = await _shown(request, answer.procedure_id, caller)
    del shown["contract_id"]
    return JSONResponse(shown, 202, {"Location": f"/v1/procedures/{answer.procedure_id}"})


async def _refused(
    request: Request, refusal: Refusal, contract_id: str, kind: str, body: dict[str, Any]
) -> Problem:
    """428 without consent, 412 with one that holds no more and the preview that does, 409 otherwise."""
    if refusal.rule != "consent":
        return refused(refusal)
    if refusal.reason == "consent_missing":
        return Problem(428, refusal.reason)
    contract = await service(request).read(lambda connection: contracts.snapshot(connection, contract_id))
    return Problem(412, refusal.reason, preview=_preview(request, contract, kind, body))


async def _shown(request: Request, procedure_id: str, caller: Caller) -> dict[str, Any]:
    """A procedure as its owner sees it. Raises 404."""
    found, words = service(request), language(request)
    row = await found.read(lambda connection: contracts.procedure(connection, procedure_id, caller.name))
    if row is None:
        raise not_found()
    stored = await found.read(lambda connection: contracts.snapshot(connection, row["contract_id"]))
    shown = shapes.procedure(row, stored, found.now(), words)
    if row["kind"] == "plan_change":
        shown["successor_contract_id"] = stored.successor_contract_id
    return shown


@router.get("/v1/contracts/{contract_id}/procedures", summary="A contract's procedures")
async def procedures(request: Request, contract_id: str) -> dict[str, Any]:
    caller = customer(request)
    contract = await own(request, caller, contract_id)
    found, words = service(request), language(request)
    rows = await found.read(lambda connection: contracts.procedures(connection, contract_id))
    return page_of_all(rows, request, lambda row: shapes.procedure(row, contract, found.now(), words))


@router.get("/v1/procedures/{procedure_id}", summary="How a procedure stands")
async def procedure(request: Request, procedure_id: str) -> dict[str, Any]:
    """With its history and, while it waits for an operator, how many wait ahead (BIL-7)."""
    shown = await _shown(request, procedure_id, customer(request))
    found = service(request)
    moves = await found.read(lambda connection: contracts.moves(connection, procedure_id))
    return shown | {"queue": await queue(found, shown), "history": [shapes.move(row) for row in moves]}


@router.get("/v1/procedures/{procedure_id}/diagram.svg", summary="The machine, the present state marked")
async def drawn(request: Request, procedure_id: str) -> Response:
    shown = await _shown(request, procedure_id, customer(request))
    picture = diagram.svg(MACHINES[shown["kind"]], shown["state"], language(request))
    return Response(picture, media_type="image/svg+xml")

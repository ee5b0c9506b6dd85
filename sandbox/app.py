"""The sandbox over HTTP: the outbox, the gateway, and the switches that break things."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.gateway import Answer, GatewayFault, SandboxGateway
from sandbox.outbox import BadCursor, Outbox
from sandbox.smtp import MailFault, MailServer


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class CardRequest(_Body):
    """A card to take."""

    card_token: str


class ChargeRequest(_Body):
    """A sum to take, in yen."""

    reference: str
    amount: int = Field(gt=0)


class Faults(_Body):
    """What is to be broken, or mended with `up`; what is not named stays as it is."""

    smtp: MailFault | None = None
    gateway: GatewayFault | None = None


class Parts:
    """What the process is made of."""

    def __init__(self, outbox: Outbox, mail: MailServer, gateway: SandboxGateway) -> None:
        self.outbox = outbox
        self.mail = mail
        self.gateway = gateway


routes = APIRouter()


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def make_app(parts: Parts) -> FastAPI:
    """The application around its parts."""
    app = FastAPI(title="Keiyaku sandbox")
    app.state.parts = parts
    app.include_router(routes)
    return app


@routes.get("/healthz")
async def healthz() -> dict[str, str]:
    """It answers."""
    return {"status": "ok"}


@routes.get("/outbox")
async def outbox(
    request: Request,
    to: str | None = None,
    kind: str | None = None,
    contract_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """What left by mail and post, oldest first. `to` is a mail address, or part of a postal one."""
    try:
        return _parts(request).outbox.find(to, kind, contract_id, limit, cursor)
    except BadCursor:
        raise HTTPException(422, "not a cursor of this outbox") from None


@routes.post("/gateway/cards")
async def register(
    request: Request,
    body: CardRequest,
    idempotency_key: Annotated[str, Header(min_length=1)],
    authorization: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Takes a card."""
    if not _signed_in(authorization):
        return _json(Answer(401, {"code": "unauthorized"}))
    return _json(await _parts(request).gateway.register(idempotency_key, body.card_token))


@routes.post("/gateway/charges")
async def charge(
    request: Request,
    body: ChargeRequest,
    idempotency_key: Annotated[str, Header(min_length=1)],
    authorization: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Charges a card."""
    if not _signed_in(authorization):
        return _json(Answer(401, {"code": "unauthorized"}))
    return _json(await _parts(request).gateway.charge(idempotency_key, body.reference, body.amount))


@routes.get("/gateway/ledger")
async def ledger(request: Request) -> dict[str, Any]:
    """Every card taken and every charge made, so that tests can count."""
    return _parts(request).gateway.ledger()


@routes.post("/faults")
async def faults(request: Request, body: Faults) -> dict[str, str]:
    """Breaks and mends; answers how things are now."""
    parts = _parts(request)
    if body.smtp:
        await parts.mail.behave(body.smtp)
    if body.gateway:
        parts.gateway.fault = body.gateway
    return {"smtp": parts.mail.fault, "gateway": parts.gateway.fault}


def _signed_in(authorization: str) -> bool:
    scheme, _, token = authorization.partition(" ")
    return scheme.lower() == "bearer" and bool(token.strip())


def _json(answer: Answer) -> JSONResponse:
    return JSONResponse(answer.body, answer.status)

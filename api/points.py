"""A line's points: the balance, exchanges, and the key that makes them possible from anywhere (PNT-5 to PNT-9)."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Connection

from api import commands, line, shapes
from api.bodies import Body, read, read_one_of, takes, takes_one_of
from api.callers import Caller, customer
from api.contracts import own
from api.faults import unfit
from api.problems import not_found, refused
from api.service import Service, service
from gate import Refused
from rules import authentication_key, beside, points, policy
from rules.calendar import day_of
from rules.change import Request as Ask
from rules.facts import Contract
from rules.points import Lot, Wanted
from rules.refusal import Refusal
from store import passport_ids
from store import points as ledger

router = APIRouter(tags=["Points"])
PATH = "/v1/contracts/{contract_id}"


def _item(item: str) -> str:
    known = [one.item for one in policy.current().point_items]
    if item not in known:
        raise unfit("one_of", known=", ".join(known))
    return item


class BillPayment(Body):
    """Points for the bill of the next month: 1 point is 1 yen (PNT-6)."""

    kind: Literal["bill_payment"]
    points: Annotated[int, Field(ge=1, le=10_000_000)]


class ItemExchange(Body):
    """Points for an item of the catalogue's list (PNT-6)."""

    kind: Literal["item"]
    item: Annotated[str, AfterValidator(_item)]


class Registration(Body):
    authentication_key: Annotated[str, StringConstraints(min_length=1, max_length=200)]


EXCHANGES: dict[str, type[BillPayment | ItemExchange]] = {"bill_payment": BillPayment, "item": ItemExchange}
EXAMPLES: dict[str, dict[str, Any]] = {
    "bill_payment": {"kind": "bill_payment", "points": 500},
    "item": {"kind": "item", "item": "gift-coffee"},
}


@router.get(PATH + "/points", summary="Balance, and what lapses this fiscal year")
async def held(request: Request, contract_id: str) -> dict[str, Any]:
    """Lots with what is left of them, oldest first (PNT-8). A contract that is over has none."""
    await own(request, customer(request), contract_id)
    found = service(request)
    lots, behind = await found.read(lambda c: _held(c, found, contract_id))
    if behind:
        # A run is late: what it owes is written now, as it would have written it.
        lots = await found.write(lambda c: _brought_up(c, found, contract_id))
    return {
        "balance": points.balance(lots),
        "lapsing_this_fiscal_year": points.lapsing(lots, day_of(found.now())),
        "lots": [_lot(lot) for lot in lots],
    }


def _held(connection: Connection, found: Service, contract_id: str) -> tuple[list[Lot], bool]:
    """In one transaction: nobody sees a point of a line that has ended meanwhile (COL-6)."""
    now = found.now()
    if passport_ids.over(connection, contract_id, now):
        return [], False
    late = ledger.owes(connection, contract_id, now, policy.current())
    return ledger.lots(connection, contract_id, now), late


def _brought_up(connection: Connection, found: Service, contract_id: str) -> list[Lot]:
    now = found.now()
    ledger.catch_up(connection, contract_id, now, policy.current())
    return _held(connection, found, contract_id)[0]


def _lot(lot: Lot) -> dict[str, Any]:
    return {
        "granted_on": shapes.day(lot.granted_on),
        "lapses_on": shapes.day(lot.lapses_on),
        "left": lot.left,
    }


@router.post(
    PATH + "/point-exchanges",
    status_code=201,
    openapi_extra=takes_one_of({kind: (model, EXAMPLES[kind]) for kind, model in EXCHANGES.items()}),
    summary="Exchange points",
)
async def exchange(request: Request, contract_id: str) -> JSONResponse:
    """For a bill, or for an item: the latter from the contract's own line, or with a registered key (PNT-6, PNT-7)."""
    await own_line(request, customer(request), contract_id)
    given, found = await read_one_of(request, "kind", EXCHANGES), service(request)
    wanted = _wanted(given, f"x-{commands.command_id(request)}")
    from_line, now = line.comes_from(request, contract_id), found.now()

    def take(connection: Connection) -> Refusal | None:
        return ledger.exchange(connection, contract_id, wanted, from_line, now, policy.current())

    no = await found.write(take)
    if no:
        raise refused(no)
    left, _ = await found.read(lambda connection: _held(connection, found, contract_id))
    shown = {"exchange_id": wanted.exchange_id, "kind": wanted.kind, "item": wanted.item}
    return JSONResponse(shown | {"points": wanted.points, "balance": points.balance(left)}, 201)


def _wanted(given: BillPayment | ItemExchange, exchange_id: str) -> Wanted:
    if isinstance(given, BillPayment):
        return Wanted(exchange_id, given.kind, given.points)
    item = next(one for one in policy.current().point_items if one.item == given.item)
    return Wanted(exchange_id, given.kind, item.points, item.item)


@router.post(PATH + "/authentication-keys", status_code=201, summary="Have an authentication key sent")
async def issue(request: Request, contract_id: str) -> JSONResponse:
    """By post, to the contract's address; an earlier one can be registered no more (PNT-7)."""
    caller = customer(request)
    contract, found = await own_line(request, caller, contract_id), service(request)
    await read(request, Body)
    still_there(contract)
    head = commands.head(found, commands.command_id(request), caller.by)
    if not await commands.repeated(request):
        try:
            await commands.ask(request, contract, Ask(**head, kind="authentication_key", body={}))
        except Refused as no:
            raise refused(no.refusal) from None
    return JSONResponse({"contract_id": contract_id, "issued_at": shapes.iso(found.now())}, 201)


@router.post(
    PATH + "/authentication-keys/registration",
    status_code=201,
    openapi_extra=takes(Registration, {"authentication_key": "ABCD2345EFGH"}),
    summary="Register an authentication key",
)
async def register(request: Request, contract_id: str) -> JSONResponse:
    """From then on exchanges need no line (PNT-7)."""
    caller = customer(request)
    contract, found = await own_line(request, caller, contract_id), service(request)
    given, now = await read(request, Registration), service(request).now()
    number = contract.authentication_key_issue
    key = found.credentials.authentication_key(contract_id, number)
    right = number > 0 and hmac.compare_digest(key.encode(), given.authentication_key.encode())
    no = points.not_usable(contract, now) or (None if right else authentication_key.unknown())
    no = no or await found.write(lambda connection: ledger.register_key(connection, contract_id, now))
    if no:
        raise refused(no)
    return JSONResponse({"contract_id": contract_id, "registered_at": shapes.iso(now)}, 201)


async def own_line(request: Request, caller: Caller, contract_id: str) -> Contract:
    """The caller's line. Raises 404 for anything else."""
    contract = await own(request, caller, contract_id)
    if contract.product != "line":
        raise not_found()
    return contract


def still_there(contract: Contract) -> None:
    """Raises 409 for a line that is over: asking its workflow would start it anew for nothing."""
    if contract.state in beside.OVER:
        raise refused(Refusal(rule="CAL-4", reason="contract_over", data={"state": contract.state}))

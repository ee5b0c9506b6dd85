"""A customer's own contracts: details, timeline, registered data, support option (RNT-1)."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from sqlalchemy import RowMapping

from api import shapes
from api.bodies import Body, read, takes
from api.callers import Caller, customer
from api.faults import Fault
from api.language import language
from api.pages import page_of_all
from api.problems import invalid, not_found, refused
from api.service import service
from rules import beside
from rules.calendar import day_of
from rules.facts import Contract
from rules.fields import Email, Phone, PostalCode, Words
from store import contracts, parties
from workflows import kinds

router = APIRouter(tags=["Contracts"])
REGISTERED = ("name", "kana", "email", "phone", "postal_code", "address")
NOTICES = ("language", "braille", "bill_mail")


class RegisteredData(Body):
    email: Email | None = None
    phone: Phone | None = None
    postal_code: PostalCode | None = None
    address: Words | None = None


class Notices(Body):
    language: Literal["ja", "en"] | None = None
    braille: bool | None = None
    bill_mail: bool | None = None


async def own(request: Request, caller: Caller, contract_id: str) -> Contract:
    """The caller's contract. Raises 404 for one that is not there or somebody else's."""
    found = service(request)
    contract = await found.read(lambda connection: contracts.owned(connection, contract_id, caller.name))
    if contract is None:
        raise not_found()
    return contract


@router.get("/v1/contracts", summary="Your contracts")
async def mine(request: Request) -> dict[str, Any]:
    caller, found = customer(request), service(request)
    rows = await found.read(lambda connection: contracts.of_account(connection, caller.name))
    return page_of_all(rows, request, lambda contract: shapes.contract(contract, found.now()))


@router.get("/v1/contracts/{contract_id}", summary="One contract")
async def one(request: Request, contract_id: str) -> dict[str, Any]:
    contract = await own(request, customer(request), contract_id)
    found = service(request)
    party = await found.read(lambda connection: parties.of_contract(connection, contract_id))
    return shapes.contract(contract, found.now()) | {"registered_data": _pick(party, REGISTERED)}


def _pick(party: RowMapping, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: party[name] for name in names}


@router.get("/v1/contracts/{contract_id}/timeline", summary="Everything that happened")
async def timeline(request: Request, contract_id: str) -> dict[str, Any]:
    await own(request, customer(request), contract_id)
    words = language(request)
    rows = await service(request).read(lambda connection: contracts.timeline(connection, contract_id))
    return page_of_all(rows, request, lambda row: shapes.entry(row, words))


@router.patch(
    "/v1/contracts/{contract_id}/registered-data",
    openapi_extra=takes(RegisteredData, {"phone": "09012345678"}),
    summary="Change address, e-mail or telephone",
)
async def change_data(request: Request, contract_id: str) -> dict[str, Any]:
    """On any day (RNT-17)."""
    contract = await own(request, customer(request), contract_id)
    given = await read(request, RegisteredData)
    party = await _change(request, contract, given, "data_changed")
    return _pick(party, REGISTERED)


@router.patch(
    "/v1/contracts/{contract_id}/notices",
    openapi_extra=takes(Notices, {"language": "en"}),
    summary="How notices come",
)
async def change_notices(request: Request, contract_id: str) -> dict[str, Any]:
    contract = await own(request, customer(request), contract_id)
    party = await _change(request, contract, await read(request, Notices), "notices_changed")
    return _pick(party, NOTICES)


async def _change(request: Request, contract: Contract, given: Body, what: str) -> RowMapping:
    """Write what was given. Raises 422 where nothing or null was, 409 after the contract's end."""
    values = given.model_dump(exclude_unset=True)
    empty = [name for name, value in values.items() if value is None]
    if empty or not values:
        raise invalid([Fault(name, "value_needed") for name in empty or type(given).model_fields])
    found = service(request)
    now = found.now()
    if no := beside.over(kinds.as_of(contract, now)):
        raise refused(no)
    return await found.write(
        lambda connection: parties.change(connection, contract.contract_id, values, what, now)
    )


@router.get("/v1/contracts/{contract_id}/support-option", summary="The support option")
async def option(request: Request, contract_id: str) -> dict[str, Any]:
    """The one held today, or the one to come; `next` is what follows the one held (RNT-11 to RNT-13)."""
    contract = await own(request, customer(request), contract_id)
    found = service(request)
    today = day_of(found.now())
    held = [period for period in contract.options if period.last is None or period.last >= today]
    shown = [_option(request, contract, period) for period in held]
    nothing = dict.fromkeys(("option", "begins_on", "ends_on", "cover_from", "key_code"))
    return (shown[0] if shown else nothing) | {"next": shown[1] if len(shown) > 1 else None}


def _option(request: Request, contract: Contract, period: Any) -> dict[str, Any]:
    premium = period.cover_from is not None
    key_code = service(request).credentials.key_code(contract.contract_id, period.option) if premium else None
    return {
        "option": period.option,
        "begins_on": shapes.day(period.first),
        "ends_on": shapes.day(period.last),
        "cover_from": shapes.day(period.cover_from),
        "key_code": key_code,
    }

"""Passport IDs of a line, and what was bought with them (MAT-1 to MAT-11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field
from sqlalchemy import Connection, RowMapping

from api import commands, shapes
from api.bodies import Body, read, takes
from api.callers import customer
from api.contracts import own
from api.faults import Fault, unfit
from api.pages import page_of_all
from api.problems import Problem, invalid, not_found, refused
from api.service import Service, service
from credentials import hash_password
from rules import beside, policy
from rules import passport_id as rule
from rules.refusal import Refusal
from store import passport_ids, purchases
from store.lines import GONE
from workflows import kinds

router = APIRouter(tags=["Passport IDs"])
PATH = "/v1/contracts/{contract_id}/passport-ids"


def _name(name: str) -> str:
    return _well_written(name, rule.name_fault(name, policy.current()))


def _password(password: str) -> str:
    return _well_written(password, rule.password_fault(password))


def _well_written(text: str, fault: str | None) -> str:
    if fault:
        raise unfit(fault, symbols=" ".join(policy.current().passport_id.symbols))
    return text


Name = Annotated[str, AfterValidator(_name)]
Password = Annotated[str, AfterValidator(_password)]
Cap = Annotated[int, Field(ge=0, le=10_000_000)]


class NewPassportId(Body):
    name: Name
    password: Password
    monthly_cap: Cap | None = None
    line_authentication: bool = True


class PassportIdChange(Body):
    name: Name | None = None
    password: Password | None = None
    monthly_cap: Cap | None = None
    line_authentication: bool | None = None


@router.post(
    PATH, status_code=201, openapi_extra=takes(NewPassportId, {"name": "hanako-1", "password": "sakura88"})
)
async def add(request: Request, contract_id: str) -> JSONResponse:
    """A new ID; free of charge, five to a line."""
    await own(request, customer(request), contract_id)
    given, found = await read(request, NewPassportId), service(request)
    values = given.model_dump(exclude={"password"}) | {
        "passport_id": f"i-{commands.command_id(request)}",
        "contract_id": contract_id,
        "password_hash": await run_sync(hash_password, given.password, limiter=found.argon2),
    }
    now, figures = found.now(), policy.current()
    # Asked for again by somebody who heard no answer, and deleted meanwhile.
    gone = Problem(GONE, "gone")
    await _written(found, lambda connection: passport_ids.add(connection, values, now, figures), gone)
    return JSONResponse(shown(values | {"restricted": False}), 201)


def shown(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    """An ID as its owner sees it."""
    return {
        "passport_id": row["passport_id"],
        "name": row["name"],
        "monthly_cap": row["monthly_cap"],
        "line_authentication": row["line_authentication"],
        "restricted": row["restricted"],
    }


@router.get(PATH, summary="The line's passport IDs")
async def ids(request: Request, contract_id: str) -> dict[str, Any]:
    await own(request, customer(request), contract_id)
    found = service(request)
    now = found.now()

    def living(connection: Connection) -> list[RowMapping]:
        # One transaction: nobody sees the ID of a line that has ended meanwhile (COL-6).
        return (
            []
            if passport_ids.over(connection, contract_id, now)
            else passport_ids.of_line(connection, contract_id)
        )

    return page_of_all(await found.read(living), request, shown)


@router.patch(PATH + "/{passport_id}", openapi_extra=takes(PassportIdChange, {"monthly_cap": 3000}))
async def change(request: Request, contract_id: str, passport_id: str) -> dict[str, Any]:
    """Name, password, cap or line authentication; what was bought stays as it is (MAT-7)."""
    row = await _mine(request, contract_id, passport_id)
    given, found = await read(request, PassportIdChange), service(request)
    values = given.model_dump(exclude_unset=True)
    empty = [name for name, value in values.items() if value is None and name != "monthly_cap"]
    if empty or not values:
        raise invalid([Fault(name, "value_needed") for name in empty or type(given).model_fields])
    if "password" in values:
        values["password_hash"] = await run_sync(hash_password, values.pop("password"), limiter=found.argon2)
    now = found.now()
    await _written(found, lambda c: passport_ids.change(c, contract_id, passport_id, values, now))
    return shown(dict(row) | values)


@router.delete(PATH + "/{passport_id}", summary="Delete a passport ID")
async def remove(request: Request, contract_id: str, passport_id: str) -> dict[str, Any]:
    """For good. `finish_with` names the monthly items to be finished with each provider (MAT-8)."""
    await _mine(request, contract_id, passport_id)
    found = service(request)
    now = found.now()
    items = await found.read(lambda connection: purchases.living_items(connection, passport_id))
    await _written(found, lambda c: passport_ids.remove(c, contract_id, passport_id, now))
    finish = [{"provider": row["provider"], "item": row["item"]} for row in items]
    return {"passport_id": passport_id, "deleted_at": shapes.iso(now), "finish_with": finish}


async def _written(
    found: Service, write: Callable[[Connection], Refusal | None], gone: Problem | None = None
) -> None:
    try:
        no = await found.write(write)
    except purchases.Gone:
        raise gone or not_found() from None
    if no:
        raise refused(no)


async def _mine(request: Request, contract_id: str, passport_id: str) -> RowMapping:
    """Raises 404, and 409 where the line is over, with all its IDs: what is not there any more may have been there."""
    contract, found = await own(request, customer(request), contract_id), service(request)
    row = await found.read(lambda c: passport_ids.find(c, contract_id, passport_id))
    if row is None:
        no = beside.over(kinds.as_of(contract, found.now()))
        raise refused(no) if no else not_found()
    return row


@router.get("/v1/contracts/{contract_id}/purchases", summary="Everything that was bought")
async def bought(request: Request, contract_id: str) -> dict[str, Any]:
    await own(request, customer(request), contract_id)
    rows = await service(request).read(lambda connection: purchases.of_contract(connection, contract_id))
    return page_of_all(rows, request, _purchase)


def _purchase(row: RowMapping) -> dict[str, Any]:
    return {
        "purchase_id": row["purchase_id"],
        "at": shapes.iso(row["at"]),
        "provider": row["provider"],
        "item": row["item"],
        "kind": row["kind"],
        "amount": row["amount"],
    }

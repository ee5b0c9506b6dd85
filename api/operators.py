"""What operators do over HTTP: tasks, finding contracts, lifting login locks. Each act is recorded under a name."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Request
from pydantic import StringConstraints
from sqlalchemy import Connection, RowMapping

from api import commands, shapes
from api.bodies import Body, read, takes
from api.callers import operator
from api.language import language
from api.pages import asked, page, page_of_all
from api.problems import Problem, not_found, wrong
from api.purchases import tried_for
from api.service import service
from rules.change import Act
from rules.tasks import ACTIONS
from store import accounts, contracts, deliveries, locks, members, parties, passport_ids, tasks
from store import timeline as timeline_of

log = structlog.get_logger()
router = APIRouter(prefix="/operator/v1", tags=["Operators"])
PERSON = ("kind", "name", "kana", "email", "phone", "postal_code", "address", "language")


class TaskAction(Body):
    action: str
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None


@router.get("/tasks", summary="What waits for a person")
async def waiting(
    request: Request, kind: str | None = None, contract_id: str | None = None
) -> dict[str, Any]:
    """The longest waiting first."""
    operator(request)
    if kind and kind not in ACTIONS:
        raise wrong("kind", "one_of", known=", ".join(ACTIONS))
    limit, after = asked(request)
    rows = await service(request).read(
        lambda c: tasks.waiting(c, kind or None, contract_id or None, limit, after)
    )
    return page(rows, limit, lambda row: (row["since"], row["task_id"]), _task)


def _task(row: RowMapping) -> dict[str, Any]:
    return {
        "task_id": row["task_id"],
        "kind": row["kind"],
        "procedure_id": row["procedure_id"],
        "contract_id": row["contract_id"],
        "since": shapes.iso(row["since"]),
        "due_at": shapes.iso(row["due_at"]),
        "actions": list(ACTIONS[row["kind"]]),
    }


@router.post(
    "/tasks/{task_id}", openapi_extra=takes(TaskAction, {"action": "approve"}), summary="Deal with a task"
)
async def deal_with(request: Request, task_id: str) -> dict[str, Any]:
    """409 where somebody did it already."""
    caller, found = operator(request), service(request)
    task = await found.read(lambda connection: tasks.find(connection, task_id))
    if task is None:
        raise not_found()
    given = await read(request, TaskAction)
    _fits(task["kind"], given)
    before = await commands.repeated(request)
    if task["done_at"] and not before:
        # The workflow may be over by now; asking it would start it anew for nothing.
        raise Problem(409, "task_done", done_by=task["done_by"], done_at=shapes.iso(task["done_at"]))
    command = commands.command_id(request)
    corporate = await found.read(lambda connection: accounts.is_corporate(connection, task["contract_id"]))
    head = commands.head(found, command, caller.by)
    act = Act(**head, task_id=task_id, action=given.action, corporate=corporate)
    personal = {"task_id": task_id, "note": given.note} if given.note is not None else None
    if not before:
        await commands.act(request, task["contract_id"], act, personal)
    row = await found.read(lambda connection: contracts.procedure(connection, task["procedure_id"], None))
    assert row is not None, "the procedure of a task is in the store"
    stored = await found.read(lambda connection: contracts.snapshot(connection, task["contract_id"]))
    shown = shapes.procedure(row, stored, found.now(), language(request))
    return {"task_id": task_id, "action": given.action, "procedure": shown, "state": stored.state}


def _fits(kind: str, given: TaskAction) -> None:
    """Raises 422. A form is turned down with a reason, which the customer is told (MAT-10)."""
    if given.action not in ACTIONS[kind]:
        raise wrong("action", "one_of", known=", ".join(ACTIONS[kind]))
    if (kind, given.action) == ("review_form", "turn_down") and not (given.note or "").strip():
        raise wrong("note", "reason_needed")


@router.get("/contracts", summary="Find contracts")
async def find(request: Request, query: str = "") -> dict[str, Any]:
    """By contract ID, customer ID or login ID, or by name, e-mail or telephone of the customer."""
    operator(request)
    limit, after = asked(request)
    found = service(request)
    rows = await found.read(lambda connection: contracts.found(connection, query, limit, after))
    now = found.now()
    return page(rows, limit, lambda c: (c.applied_at, c.contract_id), lambda c: shapes.contract(c, now))


@router.get("/contracts/{contract_id}", summary="Look at a contract")
async def look(request: Request, contract_id: str) -> dict[str, Any]:
    """Details, customer, open tasks, and what is on its way outside with the reason why it is not there yet."""
    operator(request)
    found = service(request)
    contract = await found.read(lambda connection: contracts.owned(connection, contract_id, None))
    if contract is None:
        raise not_found()
    party = await found.read(lambda connection: parties.of_contract(connection, contract_id))
    rows = await found.read(lambda connection: tasks.of_contract(connection, contract_id))
    waiting = await found.read(lambda connection: deliveries.waiting(connection, contract_id))
    email = await found.read(lambda connection: members.asked_with(connection, contract_id))
    return shapes.contract(contract, found.now()) | {
        "customer": {name: party[name] for name in PERSON},
        "membership_asked_with": email,
        "tasks": [_task(row) for row in rows if row["done_at"] is None],
        "on_their_way": [_delivery(row) for row in waiting],
    }


def _delivery(row: RowMapping) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "at": shapes.iso(row["at"]),
        "tries": row["tries"],
        "trouble": row["trouble"],
        "next_try_at": shapes.iso(row["next_try_at"]),
    }


@router.get("/contracts/{contract_id}/timeline", summary="Everything that happened to a contract")
async def timeline(request: Request, contract_id: str) -> dict[str, Any]:
    operator(request)
    found, words = service(request), language(request)
    if await found.read(lambda connection: contracts.owned(connection, contract_id, None)) is None:
        raise not_found()
    rows = await found.read(lambda connection: contracts.timeline(connection, contract_id))
    return page_of_all(rows, request, lambda row: shapes.entry(row, words))


@router.post("/logins/{login_id}/unlock", summary="Lift a login lock")
async def unlock(request: Request, login_id: str) -> dict[str, Any]:
    """Repeating it, or lifting a lock that is not there, changes nothing (IDN-5)."""
    caller = operator(request)
    await read(request, Body)
    found = service(request)

    def lift(connection: Connection) -> int:
        passport = passport_ids.by_name(connection, login_id)
        login = found.credentials.subject("login", login_id)
        lifted = locks.lift(connection, login, tried_for(found.credentials, login_id, passport))
        for contract_id in contracts.signed_in_to_as(connection, login_id) if lifted else ():
            timeline_of.note(connection, contract_id, "login_unlocked", found.now(), by=caller.by)
        return lifted

    # Nobody may have the ID, and then no timeline tells of it.
    log.info("unlocked", by=caller.by, lifted=await found.write(lift))
    return {"login_id": login_id, "locked": False}

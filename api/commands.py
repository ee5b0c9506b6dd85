"""Sending a command to a contract's workflow, and what its refusal is over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from temporalio.service import RPCError

from api.problems import refused
from api.service import Service, service
from gate import TAKEN_WITHIN, Refused, Unavailable
from rules import ids, policy
from rules.change import Act, Advance, Answer, Bill
from rules.change import Request as Ask
from rules.facts import Contract
from store import bills, contracts, people


def command_id(request: Request) -> str:
    """Derived from the Idempotency-Key where there is one, so that a repetition is recognised everywhere."""
    known: str | None = getattr(request.state, "command_id", None)
    return known or ids.in_order(service(request).now(), secrets.token_hex(ids.RANDOM_DIGITS // 2))


def head(found: Service, command: str, by: str) -> dict[str, Any]:
    """What every command carries."""
    return {
        "command_id": command,
        "not_after": found.now() + TAKEN_WITHIN * found.settings.clock_speed,
        "policy": policy.current_digest(),
        "by": by,
    }


async def repeated(request: Request) -> Answer | None:
    """What the command led to when it was sent before, under the same Idempotency-Key, by somebody who heard no answer."""
    known: str | None = getattr(request.state, "command_id", None)
    if known is None:
        return None
    stored = await service(request).read(lambda connection: contracts.led_to(connection, known))
    return _led_to(stored, known) if stored else None


def _led_to(stored: Contract, command: str) -> Answer:
    # What is too old to be remembered has begun a procedure of its own name, or dealt with a task, which knows its procedure.
    return Answer(procedure_id=stored.answers.get(command, f"p-{command}"))


async def ask(
    request: Request, contract: Contract, ask: Ask, personal: dict[str, Any] | None = None
) -> Answer:
    """Have the contract's workflow take a customer's request. Raises Refused and Unavailable."""
    return await _send(request, "request", contract.contract_id, ask, personal)


async def advance(
    request: Request, contract_id: str, advance: Advance, personal: dict[str, Any] | None = None
) -> Answer:
    """Have it take what somebody outside does to a procedure. Raises Refused and Unavailable."""
    return await _send(request, "advance", contract_id, advance, personal)


async def act(request: Request, contract_id: str, act: Act, personal: dict[str, Any] | None = None) -> Answer:
    """Have it take an operator's answer. Raises Problem 409 and Unavailable."""
    try:
        return await _send(request, "act", contract_id, act, personal)
    except Refused as no:
        raise refused(no.refusal) from None


async def bill(request: Request, contract_id: str, bill: dict[str, Any]) -> Answer:
    """Have it take a payment, by the bills as they stand. Raises Problem 409 and Unavailable."""
    found, command = service(request), bill["command_id"]

    def made(connection: Connection) -> tuple[Bill, Contract]:
        contract, open_bills = bills.standing(connection, contract_id)
        return Bill(**bill, number=contract.number, bills=open_bills), contract

    async def send() -> Answer:
        answer = await found.gate.send_fresh("bill", contract_id, lambda: found.read(made))
        assert answer is not None, "there is always something to send"
        return answer

    try:
        return await answered(found, command, {}, send)
    except Refused as no:
        raise refused(no.refusal) from None


async def _send(
    request: Request,
    update: str,
    contract_id: str,
    command: Ask | Act | Advance,
    personal: dict[str, Any] | None,
) -> Answer:
    found = service(request)

    async def snapshot() -> Contract:
        return await found.read(lambda connection: contracts.snapshot(connection, contract_id))

    return await answered(
        found,
        command.command_id,
        personal or {},
        lambda: found.gate.send(update, command, contract_id, snapshot),
    )


async def answered(
    found: Service, command: str, personal: dict[str, Any], send: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Put the command down while the workflow decides. Raises Refused, or Unavailable where nothing has happened.

    A crash in between may leave it done without anybody having said so: then the store knows, and the engine is told.
    """
    await found.write(lambda connection: people.take_in(connection, command, personal))
    try:
        answer = await send()
    except (Refused, Unavailable) as no:
        stored = await found.read(lambda connection: contracts.led_to(connection, command))
        if stored is not None:
            with suppress(RPCError):  # else a worker does it later
                await found.gate.catch_up(stored)
            return _led_to(stored, command)
        if isinstance(no, Refused) and no.refusal.reason != "too_late":
            await found.write(lambda connection: people.give_back(connection, command))
        raise
    await found.write(lambda connection: people.give_back(connection, command))
    return answer

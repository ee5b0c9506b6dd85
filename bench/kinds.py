"""What is measured: kinds of calls, ours and bare ones. `prepare` does what is not measured."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Engine
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from bench.bare import QUEUE, Note, Noted
from gate import TAKEN_WITHIN, Gate
from rules import decision, policy
from rules.change import Apply, Request
from rules.clock import Clock
from rules.effects import consent
from rules.facts import Contract
from store import changes
from store.tables import AccountRow, ContractRow, IntakeRow, PartyRow
from store.write import upsert

Call = Callable[[], Awaitable[Any]]
BODY = {"plan": "wifi-100", "course": "standard"}
PARTY = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
    "language": "ja",
}


class Kind(Protocol):
    name: str

    async def prepare(self, count: int) -> list[Call]:
        """So many calls, each to be made once."""
        ...


class Ours:
    """What the API does after it has read a request: command, gate, answer."""

    def __init__(self, client: Client, engine: Engine, clock: Clock, task_queue: str) -> None:
        self._client, self._engine, self._clock = client, engine, clock
        self._gate = Gate(client, task_queue)

    def now(self) -> datetime:
        return self._clock.business(datetime.now(UTC))

    def head(self, command: str) -> dict[str, Any]:
        return {
            "command_id": command,
            "not_after": self.now() + TAKEN_WITHIN * self._clock.speed,
            "policy": policy.current_digest(),
            "by": "customer",
        }

    def contract(self, **more: Any) -> Contract:
        key = uuid.uuid4().hex
        plain = {"contract_id": f"k-{key}", "product": "rental", "plan": "wifi-50", "course": "standard"}
        paid = {"payment_method": "np_invoice", "payment_id": f"pay-{key}"}
        given = {"state": "applied", "policy": policy.current_digest(), "applied_at": self.now()}
        return Contract.model_validate({**plain, **paid, **given, **more})


class Signup(Ours):
    """An application: update-with-start of `apply`. The personal data lies in the store already, as the API leaves it."""

    name = "signup"

    async def prepare(self, count: int) -> list[Call]:
        contracts = [self.contract() for _ in range(count)]
        await asyncio.to_thread(self._take_in, contracts)
        return [partial(self._apply, contract) for contract in contracts]

    def _take_in(self, contracts: list[Contract]) -> None:
        rows = [
            {
                "command_id": _key(contract),
                "received_at": datetime.now(UTC),
                "payload": _personal(_key(contract)),
            }
            for contract in contracts
        ]
        with self._engine.begin() as connection:
            upsert(connection, IntakeRow, rows)

    async def _apply(self, contract: Contract) -> None:
        await self._gate.begin("apply", Apply(**self.head(_key(contract))), contract)


class PlanChange(Ours):
    """A plan change that is accepted, each on an active contract of its own whose workflow runs."""

    name = "plan change"

    async def prepare(self, count: int) -> list[Call]:
        began = self.now() - timedelta(days=90)
        contracts = [
            self.contract(state="active", in_force_from=began.date(), started_at=began, number=3)
            for _ in range(count)
        ]
        await asyncio.to_thread(self._put, contracts)
        await _all(self._gate.start(contract) for contract in contracts)
        await _settled(self._client, [contract.contract_id for contract in contracts])
        return [
            partial(self._change, contract.contract_id, self._consent(contract)) for contract in contracts
        ]

    def _put(self, contracts: list[Contract]) -> None:
        parties = [PARTY | {"party_id": f"y-{_key(contract)}"} for contract in contracts]
        owners = [{"account_id": f"a-{_key(contract)}"} for contract in contracts]
        account = {"kind": "individual", "language": "ja", "created_at": self.now()}
        rows = [
            changes.facts(contract) | owner | {"party_id": party["party_id"]}
            for contract, owner, party in zip(contracts, owners, parties, strict=True)
        ]
        with self._engine.begin() as connection:
            upsert(connection, AccountRow, [account | owner for owner in owners])
            upsert(connection, PartyRow, parties)
            upsert(connection, ContractRow, rows)

    def _consent(self, contract: Contract) -> str:
        found = decision.decide(contract, "plan_change", BODY, self.now(), policy.current())
        if not isinstance(found, list):
            raise RuntimeError(found.reason)
        return consent(contract.contract_id, "plan_change", BODY, found)

    async def _change(self, contract_id: str, word: str) -> None:
        ask = Request(**self.head(uuid.uuid4().hex), kind="plan_change", body=BODY, consent=word)
        await self._gate.send("request", ask, contract_id, _missing)


class BareUpdate:
    """An update of a bare workflow that runs, each on a workflow of its own."""

    def __init__(self, client: Client, update: str) -> None:
        self._client, self._update = client, update
        self.name = f"bare update, {update}"

    async def prepare(self, count: int) -> list[Call]:
        names = [f"bare-{uuid.uuid4().hex}" for _ in range(count)]
        await _all(self._client.start_workflow("Bare", id=name, task_queue=QUEUE) for name in names)
        await _settled(self._client, names)
        return [partial(self._send, name) for name in names]

    async def _send(self, name: str) -> None:
        handle = self._client.get_workflow_handle(name)
        await handle.execute_update(self._update, _note(name), id=uuid.uuid4().hex, result_type=Noted)


class BareStart:
    """A bare update-with-start."""

    def __init__(self, client: Client, update: str) -> None:
        self._client, self._update = client, update
        self.name = f"bare update-with-start, {update}"

    async def prepare(self, count: int) -> list[Call]:
        return [partial(self._send, f"bare-{uuid.uuid4().hex}") for _ in range(count)]

    async def _send(self, name: str) -> None:
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "Bare", id=name, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        await self._client.execute_update_with_start_workflow(
            self._update,
            _note(name),
            id=uuid.uuid4().hex,
            result_type=Noted,
            start_workflow_operation=operation,
        )


def _note(name: str) -> Note:
    return Note(key=name, text="a small row")


def _key(contract: Contract) -> str:
    return contract.contract_id.removeprefix("k-")


def _personal(key: str) -> dict[str, Any]:
    return {
        "account": {"account_id": f"a-{key}", "kind": "individual", "language": "ja"},
        "account_id": f"a-{key}",
        "party": PARTY | {"party_id": f"y-{key}"},
        "payment": {"payment_id": f"pay-{key}", "method": "np_invoice", "card_token": None},
    }


async def _missing() -> Contract:
    raise RuntimeError("the contract's workflow does not run")


async def _all(calls: Iterable[Awaitable[Any]]) -> None:
    """Not all at once."""
    waiting = iter(calls)

    async def some() -> None:
        for call in waiting:
            await call

    await asyncio.gather(*(some() for _ in range(32)))


async def _settled(client: Client, names: list[str]) -> None:
    """Wait until the workflows have done their first task."""
    for name in names[-20:]:
        while (await client.get_workflow_handle(name).describe()).history_length < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

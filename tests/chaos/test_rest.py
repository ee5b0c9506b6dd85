"""Requests that arrive just as a contract comes to rest are all answered, and each is done once."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, Row, select
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from gate import Gate, Unavailable
from rules import policy
from rules.change import Request
from rules.facts import Contract
from store import contracts
from store.database import connect
from store.tables import TransitionRow
from store.write import table
from tests.chaos.waiting import comes_to
from tests.rules.test_importing import LINE
from tests.running import KEIYAKU, Up, brought, up
from workflows import visible

DAY = 0.25
"""Seconds. A contract rests after a day here."""

CONTRACTS, RESTS, REQUESTS = 2, 5, 16
T = TypeVar("T")


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    text = policy.DEFAULT.read_text()
    assert "rest_after_days = 30" in text
    file.write_text(text.replace("rest_after_days = 30", "rest_after_days = 1"))
    return file


@pytest.fixture
def service(tmp_path: Path, figures: Path) -> Iterator[Up]:
    speed = str(int(86400 / DAY))
    with up(tmp_path / "data", "--speed", speed, env={"KEIYAKU_POLICY_FILE": str(figures)}) as running:
        yield running


def bring_in(service: Up, figures: Path, folder: Path, *rows: dict[str, str]) -> None:
    path = folder / "base.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    given = {
        "KEIYAKU_DATA_DIR": str(service.data),
        "KEIYAKU_POLICY_FILE": str(figures),
        "KEIYAKU_TEMPORAL_ADDRESS": service.note()["temporal_address"],
    }
    done = subprocess.run(
        [KEIYAKU, "import", path], env=os.environ | given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def now(service: Up) -> datetime:
    answer = httpx.get(f"{service.note()['api']}/dev/v1/clock", trust_env=False)
    return datetime.fromisoformat(answer.json()["now"])


def snapshot(engine: Engine, contract_id: str) -> Contract:
    with engine.begin() as connection:
        return contracts.snapshot(connection, contract_id)


@dataclass
class Asking:
    """Somebody who asks for one contract after the other, and writes down what."""

    gate: Gate
    engine: Engine
    workflow: WorkflowHandle[Any, Any]
    contract_id: str
    policy: str
    late: datetime
    chance: random.Random
    asked: list[str] = field(default_factory=list)

    async def stored(self) -> Contract:
        return await asyncio.to_thread(snapshot, self.engine, self.contract_id)

    async def ask(self) -> None:
        method = self.chance.choice(["account_transfer", "isp_collection"])
        command = Request(
            command_id=uuid4().hex,
            not_after=self.late,
            policy=self.policy,
            by="customer",
            kind="payment_method",
            body={"payment": {"method": method, "payment_id": f"pay-{len(self.asked)}"}},
        )
        self.asked.append(command.command_id)
        answer = await again(lambda: self.gate.send("request", command, self.contract_id, self.stored))
        assert answer.procedure_id == f"p-{command.command_id}"

    async def call_at_rest(self) -> None:
        for _ in range(RESTS):
            await self.ask()
            await self.workflow.result()

    async def call(self) -> None:
        for _ in range(REQUESTS):
            await self.ask()
            await asyncio.sleep(DAY * self.chance.uniform(0.9, 1.6))

    async def tell(self) -> None:
        for _ in range(REQUESTS):
            stored = await self.stored()
            await again(partial(self.gate.catch_up, stored))
            await asyncio.sleep(DAY * self.chance.uniform(0.5, 1.5))

    async def live(self) -> None:
        await self.call_at_rest()
        for _ in range(2):  # one after the other, about when it comes to rest
            await self.call()
        await asyncio.gather(self.call(), self.call(), self.tell())

    async def runs(self, client: Client, which: str = "") -> list[WorkflowExecution]:
        found = client.list_workflows(f'WorkflowId = "{self.contract_id}" {which}')
        return [run async for run in found]

    async def under_way(self, client: Client) -> list[str]:
        """Runs by which it does not rest, as operators find them: that is a moment behind."""
        open_ones = 'ExecutionStatus = "Running" or Pending is not null'
        return [run.run_id for run in await self.runs(client, f"and ({open_ones})")]

    def written(self) -> list[Row[tuple[int, str | None]]]:
        rows = table(TransitionRow)
        mine = rows.c.contract_id == self.contract_id
        with self.engine.begin() as connection:
            return list(
                connection.execute(
                    select(rows.c.number, rows.c.command_id).where(mine).order_by(rows.c.number)
                )
            )


async def again(ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The same once more, until there is an answer: one that was not answered may be repeated."""
    async with asyncio.timeout(100):
        while True:
            with suppress(Unavailable, RPCError):
                return await ask()
            await asyncio.sleep(DAY)


@pytest.mark.timeout(400)
async def test_no_request_is_lost_as_the_contract_comes_to_rest(
    service: Up, figures: Path, tmp_path: Path
) -> None:
    # Months pass in seconds, and bills that nobody pays would end them.
    paid = LINE | {"payment_method": "account_transfer"}
    lines = [paid | {"source_id": f"L-{n}", "customer_id": f"CAF000000000{n}"} for n in range(CONTRACTS)]
    bring_in(service, figures, tmp_path, *lines)
    url = f"sqlite:///{service.data}/keiyaku.db"
    engine, client = (
        connect(url),
        await Client.connect(service.note()["temporal_address"], data_converter=pydantic_data_converter),
    )
    gate, late = Gate(client, "contracts"), now(service) + timedelta(days=36500)
    digest, chance = policy.digest(policy.load(figures)), random.Random(20261122)
    everybody = [
        Asking(gate, engine, client.get_workflow_handle(contract_id), contract_id, digest, late, chance)
        for contract_id in [brought(url, line["source_id"]) for line in lines]
    ]

    await asyncio.gather(*(one.live() for one in everybody))

    for one in everybody:
        await one.workflow.result()
        await comes_to([], partial(one.under_way, client))
        written = one.written()
        assert Counter(row.command_id for row in written if row.command_id) == Counter(one.asked)
        assert [row.number for row in written] == list(range(1, len(one.asked) + 2))
        runs = await one.runs(client)
        ended = Counter(run.status for run in runs)
        assert set(ended) <= {WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW}
        assert ended[WorkflowExecutionStatus.COMPLETED] >= RESTS, "it came to rest again and again"
        told = {run.typed_search_attributes.get(visible.STATE) for run in runs}
        pending = {run.typed_search_attributes.get(visible.PENDING) for run in runs}
        assert (told, pending) == ({"active"}, {None}), "what operators search by says how it rests"

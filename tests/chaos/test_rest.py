"""Requests that arrive just as a contract comes to rest are all answered, and each is done once."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from gate import Gate
from rules import policy
from rules.change import Request
from rules.facts import Contract
from store import contracts
from store.database import connect
from store.tables import TransitionRow
from store.write import table
from tests.rules.test_importing import LINE
from tests.running import KEIYAKU, Up, brought, up
from workflows import visible

DAY = 0.25
"""Seconds. A contract rests after a day here."""

REQUESTS = 60


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


@pytest.mark.timeout(200)
async def test_no_request_is_lost_as_the_contract_comes_to_rest(
    service: Up, figures: Path, tmp_path: Path
) -> None:
    # Months pass in seconds, and bills that nobody pays would end it.
    bring_in(service, figures, tmp_path, LINE | {"payment_method": "account_transfer"})
    url = f"sqlite:///{service.data}/keiyaku.db"
    contract_id, engine = brought(url, LINE["source_id"]), connect(url)
    client = await Client.connect(service.note()["temporal_address"], data_converter=pydantic_data_converter)
    gate, late = Gate(client, "contracts"), now(service) + timedelta(days=36500)
    chance, asked = random.Random(20261122), list[str]()
    digest = policy.digest(policy.load(figures))

    async def stored() -> Contract:
        return await asyncio.to_thread(snapshot, engine, contract_id)

    async def ask() -> None:
        method = chance.choice(["account_transfer", "isp_collection"])
        command = Request(
            command_id=uuid4().hex,
            not_after=late,
            policy=digest,
            by="customer",
            kind="payment_method",
            body={"payment": {"method": method, "payment_id": f"pay-{len(asked)}"}},
        )
        asked.append(command.command_id)
        answer = await gate.send("request", command, contract_id, stored)
        assert answer.procedure_id == f"p-{command.command_id}"

    async def caller() -> None:
        for _ in range(REQUESTS):
            await ask()
            await asyncio.sleep(DAY * chance.uniform(0.9, 1.6))

    async def teller() -> None:
        for _ in range(REQUESTS):
            await gate.catch_up(await stored())
            await asyncio.sleep(DAY * chance.uniform(0.5, 1.5))

    for _ in range(2):  # one after the other at first, so that it does come to rest
        await caller()
    await asyncio.gather(caller(), caller(), teller())

    rows = table(TransitionRow)
    with engine.begin() as connection:
        written = connection.execute(
            select(rows.c.number, rows.c.command_id)
            .where(rows.c.contract_id == contract_id)
            .order_by(rows.c.number)
        ).all()
    assert Counter(row.command_id for row in written if row.command_id) == Counter(asked)
    assert [row.number for row in written] == list(range(1, len(asked) + 2))
    await asyncio.sleep(8 * DAY)
    runs = [run async for run in client.list_workflows(f'WorkflowId = "{contract_id}"')]
    ended = Counter(run.status for run in runs)
    assert set(ended) <= {WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW}
    assert ended[WorkflowExecutionStatus.COMPLETED] > REQUESTS / 4, "it came to rest again and again"
    told = {run.typed_search_attributes.get(visible.STATE) for run in runs}
    pending = {run.typed_search_attributes.get(visible.PENDING) for run in runs}
    assert (told, pending) == ({"active"}, {None}), "what operators search by says how it rests"

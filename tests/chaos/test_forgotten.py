"""The worst moment for a crash: a transition is in the store, and the engine has not heard of it yet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gate import connect_client
from store.database import connect
from store.tables import IntakeRow
from store.write import table
from tests.chaos import parts
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts
from workflows import visible

JUNE = datetime.fromisoformat("2027-06-03T10:00:00+09:00")
CHANGE = {"plan": "wifi-50", "course": "standard"}


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """Where the worker reads whom it is to kill."""
    return tmp_path / "order"


@pytest.fixture
async def service(tmp_path: Path, order: Path, warm: Forks) -> AsyncIterator[Parts]:
    dying = (sys.executable, "-m", "tests.chaos.dying_worker", str(order))
    async with parts.parts(parts.planned(tmp_path / "data", 2, JUNE), warm, worker=dying) as running:
        yield running


async def test_what_is_written_is_made_known_to_an_engine_that_forgot_it(service: Parts, order: Path) -> None:
    somebody = Insistent(service)
    contracts = [await in_force(somebody) for _ in range(3)]
    ask = []
    for (contract_id, token), victim in zip(contracts, ("worker", "temporal", "worker"), strict=True):
        condemn(order, contract_id, 0 if victim == "worker" else service.pid(victim))
        asking = asyncio.create_task(somebody.request(token, contract_id, "plan_change", **CHANGE))
        await service.running[victim].ended
        if contract_id == contracts[-1][0]:
            # Nobody is left who would ask again.
            asking.cancel()
            await service.kill("api")
            age_what_nobody_answered(service)
            await service.start("api")
        else:
            ask.append(asking)
        await service.start(victim)
        await service.ready(victim)
    assert [answer.status_code for answer in await asyncio.gather(*ask)] == [202, 202]
    for contract_id, _ in contracts:
        await until_engine_knows(service, contract_id, "ending")
        timeline = await somebody.operate(f"/contracts/{contract_id}/timeline")
        assert [entry["what"] for entry in timeline["items"]].count("plan_change_accepted") == 1


def condemn(order: Path, contract_id: str, process: int) -> None:
    """It dies with the contract's next transition; 0: the worker itself."""
    written = order.with_suffix(".new")
    written.write_text(f"{contract_id} {process}")
    written.rename(order)


async def in_force(somebody: Insistent) -> tuple[str, str]:
    """A contract in force and its customer's session."""
    contract_id = await somebody.apply()
    await somebody.do("confirm_application", contract_id, "approve")
    token = await somebody.sign_in(contract_id)
    await somebody.do("report_shipped", contract_id)
    return contract_id, token


def age_what_nobody_answered(service: Parts) -> None:
    """So that the test need not wait until it is old."""
    rows = table(IntakeRow)
    with connect(service.settings.database_url).begin() as connection:
        aged = connection.execute(update(rows).values(received_at=datetime.now(UTC) - timedelta(minutes=1)))
        assert aged.rowcount


async def until_engine_knows(service: Parts, contract_id: str, state: str) -> None:
    client = await connect_client(service.settings)
    workflow = client.get_workflow_handle(contract_id)
    deadline = asyncio.get_running_loop().time() + 120
    while (found := await workflow.describe()).typed_search_attributes.get(visible.STATE) != state:
        assert asyncio.get_running_loop().time() < deadline, f"{contract_id}: {found.typed_search_attributes}"
        await asyncio.sleep(0.2)

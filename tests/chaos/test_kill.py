"""`kill -9` of worker, API and Temporal while contracts live through a plan change with device return."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from rules import policy
from tests.chaos import parts
from tests.chaos.ending import Ending, ending_of, open_workflows
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts
from tests.chaos.waiting import comes_to

# Temporal is the quickest to come back.
VICTIMS = (("worker", "temporal", "api", "temporal") * 8)[:30]
CONTRACTS = 9
EVERY = 3.0
SPEED = 200_000  # 45 days in about 20 seconds
BEGINS = datetime.fromisoformat("2027-06-01T00:00:00+09:00")
SEED = 20270601


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Forks) -> AsyncIterator[Parts]:
    """A session, like everything else, is over soon where a day takes half a second; here it must not be."""
    figures = policy.DEFAULT.read_text().replace("session_hours = 12", "session_hours = 1000000")
    file = tmp_path / "policy.toml"
    file.write_text(figures.replace("idempotency_hours = 48", "idempotency_hours = 8760"))
    monkeypatch.setenv("KEIYAKU_POLICY_FILE", str(file))
    async with parts.parts(parts.planned(tmp_path / "data", SPEED, BEGINS), warm) as running:
        yield running


@pytest.mark.timeout(400)
@pytest.mark.rule("RNT-3", "RNT-10")
async def test_every_contract_ends_as_it_would_have(service: Parts) -> None:
    chance = random.Random(SEED)
    lives = [asyncio.create_task(live(service, number)) for number in range(CONTRACTS)]
    try:
        for victim in VICTIMS:
            await asyncio.sleep(chance.uniform(0.1, 1.2))
            await service.kill(victim)
            await service.start(victim)
            await service.ready(victim)
        contracts = await asyncio.gather(*lives)
    finally:
        for life in lives:
            life.cancel()
    endings = [await ending_of(service, contract_id) for contract_id in contracts]
    for ending in endings:
        ending.check()
    await comes_to({ending.successor_id for ending in endings}, lambda: open_workflows(service))
    report(service, endings)


async def live(service: Parts, number: int) -> str:
    """A contract from its application to the device back on the shelf: in time, after the reminder, or after the charge."""
    await asyncio.sleep(number * EVERY)
    somebody = Insistent(service)
    contract_id = await somebody.apply()
    await somebody.do("confirm_application", contract_id, "approve")
    token = await somebody.sign_in(contract_id)
    await somebody.do("report_shipped", contract_id)
    procedure_id = await change_plan(somebody, token, contract_id)
    awaited = ("awaiting_device", "device_overdue", "device_charged")[number % 3 :]
    while True:
        if (await somebody.get(f"/v1/procedures/{procedure_id}", token))["state"] in awaited:
            break
        await asyncio.sleep(0.2)
    await somebody.do("receive_device", contract_id)
    return contract_id


async def change_plan(somebody: Insistent, token: str, contract_id: str) -> str:
    """As soon as the month has a day for it."""
    while True:
        body = {"plan": "wifi-50", "course": "standard"}
        answer = await somebody.request(token, contract_id, "plan_change", **body)
        if answer.status_code == 202:
            return str(answer.json()["procedure_id"])
        assert answer.json().get("rule") == "RNT-3" or answer.status_code == 412, answer.text
        await asyncio.sleep(0.2)


def report(service: Parts, endings: list[Ending]) -> None:
    moments = [f"{ending.closed_at - ending.accepted_at}".partition(",")[0] for ending in endings]
    print(  # noqa: T201 - how it went is worth seeing
        f"\n{service.kills} kills; from acceptance to the device back: {', '.join(moments)}"
    )
    assert service.kills == len(VICTIMS) == 30
    assert all(ending.closed_at >= ending.ends for ending in endings)

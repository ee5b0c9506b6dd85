"""What a worker of a later release brought back, this one cannot take: the contract waits for it and loses nothing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from temporalio import activity
from temporalio.api.enums.v1 import EventType

import worker
from gate import Gate
from rules import policy
from rules.calendar import JST
from rules.change import Request
from rules.facts import Contract, Delivery
from store import contracts
from tests.activities.test_settlement import in_force
from tests.activities.world import OutsideWorld

CARD = {"payment": {"method": "credit_card", "payment_id": "pay-2"}}


@activity.defn(name="register_card")
async def later_release(delivery: Delivery) -> str:
    return "card_of_another_country"


async def test_an_outcome_that_no_machine_knows_fails_the_task_and_is_not_lost(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    contract_id = in_force(world, "later", "invoice")
    activities = [later_release, *(run for name, run in world.activities.items() if name != "register_card")]
    gate = Gate(outside.client, outside.settings.task_queue)

    async def stored() -> Contract:
        with world.engine.begin() as connection:
            return contracts.snapshot(connection, contract_id)

    with ThreadPoolExecutor(4) as executor:
        async with worker.make_worker(outside.client, outside.settings, activities, executor):
            await gate.send("request", asked(contract_id), contract_id, stored)
            async with asyncio.timeout(60):
                while EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in await told(outside, contract_id):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


def asked(contract_id: str) -> Request:
    return Request(
        command_id=f"card-{contract_id}",
        not_after=datetime.now(JST) + timedelta(minutes=1),
        policy=policy.current_digest(),
        by="customer",
        kind="payment_method",
        body=CARD,
    )


async def told(outside: OutsideWorld, contract_id: str) -> list[int]:
    history = await outside.client.get_workflow_handle(contract_id).fetch_history()
    return [event.event_type for event in history.events]

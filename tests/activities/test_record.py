"""The store is never written from an older contract than it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import NoResultFound
from temporalio import activity
from temporalio.api.enums.v1 import EventType

import worker
from gate import Gate, Refused
from rules import policy
from rules.calendar import JST
from rules.change import Act, Change, Recorded
from rules.facts import Contract
from tests.activities.cases import changes, life, recorded
from tests.activities.world import OutsideWorld, World
from tests.workflows.life import Life, applied

TIMER = EventType.EVENT_TYPE_TIMER_STARTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED


async def test_another_change_under_a_number_that_is_taken_writes_nothing_and_is_told_how_the_contract_stands(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    change, *_ = await recorded(world, 7)
    await world.run("record", [change])
    before = await world.traces()

    other = change.model_copy(deep=True)
    other.contract.plan, other.command_id = "wifi-unlimited", "another"
    answer = await world.run("record", [other])

    assert answer.stored == change.contract
    assert await world.traces() == before


async def test_what_follows_an_unknown_change_is_not_written_either(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    first, second, *_ = await recorded(world, 7)
    await world.run("record", [first])
    before = await world.traces()

    other = first.model_copy(deep=True)
    other.contract.plan = "wifi-unlimited"
    answer = await world.run("record", [other, second])

    assert answer.stored == first.contract
    assert await world.traces() == before


async def test_what_is_partly_written_is_written_to_its_end(outside: OutsideWorld, template: Path) -> None:
    world, whole = outside.world(template), outside.world(template, "whole")
    told = changes(world, life)
    await world.run("record", told[:8])
    assert (await world.run("record", told)).stored is None
    await whole.run("record", changes(whole, life))
    assert await world.traces() == await whole.traces()


async def test_an_application_without_its_applicant_is_not_written(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    told = changes(world, life)
    told[0].command_id = "another"
    before = await world.traces()
    with pytest.raises(NoResultFound):
        await world.run("record", told[:1])
    assert await world.traces() == before


async def test_a_contract_that_was_over_but_for_what_the_store_knows_goes_on(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    application = Life(applied(contract_id=f"k-{world.name}", payment_method="atone"))
    application.apply("2026-03-20 10:00:00")
    known = application.contract.model_copy(deep=True)
    (known.procedures[0].due_at, known.number, known.tasks) = (datetime(2100, 1, 1, tzinfo=JST), 2, [])

    async def stored() -> Contract:
        return known if asked else application.contract

    asked: list[list[Change]] = []

    @activity.defn(name="record")
    async def knows_better(changes: list[Change]) -> Recorded:
        asked.append(changes)
        return Recorded(stored=known)

    async with working(outside, world, record=knows_better) as gate:
        with pytest.raises(Refused, match="task_done"):
            await gate.send("act", turned_down(application.contract), known.contract_id, stored)
        assert asked[0][-1].contract.state == "turned_down"
        async with asyncio.timeout(10):
            while not {TIMER, COMPLETED} & (told := await events(outside, known.contract_id)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert TIMER in told, "it waits for the deadline that the store knows of"


def turned_down(contract: Contract) -> Act:
    return Act(
        command_id=f"down-{contract.contract_id}",
        not_after=datetime.now(JST) + timedelta(minutes=1),
        policy=policy.current_digest(),
        by="operator",
        task_id=contract.tasks[0].task_id,
        action="turn_down",
    )


@asynccontextmanager
async def working(outside: OutsideWorld, world: World, **instead: Callable[..., Any]) -> AsyncIterator[Gate]:
    """A worker with some activities of its own."""
    activities = [*instead.values(), *(run for name, run in world.activities.items() if name not in instead)]
    with ThreadPoolExecutor(4) as executor:
        async with worker.make_worker(outside.client, outside.settings, activities, executor):
            yield Gate(outside.client, outside.settings.task_queue)


async def events(outside: OutsideWorld, contract_id: str) -> set[int]:
    history = await outside.client.get_workflow_handle(contract_id).fetch_history()
    return {event.event_type for event in history.events}

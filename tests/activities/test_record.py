"""The store is never written from an older contract than it holds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.exc import NoResultFound
from temporalio import activity
from temporalio.api.enums.v1 import EventType

import worker
from activities.record import Recorder
from gate import Gate, Refused
from rules.calendar import JST
from rules.change import Act, Apply, Change, Command, Recorded
from rules.facts import Contract
from store import contracts
from tests.activities.cases import changes, life, recorded
from tests.activities.world import OutsideWorld, World
from tests.workflows.life import Life, applied

TIMER = EventType.EVENT_TYPE_TIMER_STARTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
SOON = 3.0
"""Seconds within which a command is accepted, also where the machine stands still for a moment; then it is held up."""


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
        async with asyncio.timeout(60):
            while not {TIMER, COMPLETED} & (told := await events(outside, known.contract_id)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert TIMER in told, "it waits for the deadline that the store knows of"


def turned_down(contract: Contract) -> Act:
    return Act(
        command_id=f"down-{contract.contract_id}",
        not_after=datetime.now(JST) + timedelta(minutes=1),
        policy=contract.policy,
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


async def test_what_a_command_led_to_is_not_written_once_its_sender_has_gone(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    told = changes(world, life)
    await world.run("record", told[:4])
    before = await world.traces()

    late = [told[4], told[5].model_copy(update={"not_after": datetime.now(JST) - timedelta(seconds=1)})]
    answer = await world.run("record", late)

    assert (answer.stored, answer.late) == (told[3].contract, True)
    assert await world.traces() == before, "nor what fell due before it"
    in_time = [told[4], told[5].model_copy(update={"not_after": datetime.now(JST) + timedelta(minutes=1)})]
    assert await world.run("record", in_time) == Recorded()
    assert await world.run("record", late) == Recorded(), "what was written in time is"


async def test_an_application_whose_time_is_over_leaves_nothing(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    told = changes(world, life)
    before = await world.traces()

    told[0].not_after = datetime.now(JST) - timedelta(seconds=1)
    answer = await world.run("record", told[:1])

    assert (answer.stored.state, answer.stored.number, answer.stored.tasks) == ("applied", 0, [])
    assert await world.traces() == before


@pytest.mark.parametrize(("moved", "late"), [(timedelta(0), False), (timedelta(microseconds=1), True)])
async def test_what_is_too_late_goes_by_the_engines_clock(
    outside: OutsideWorld, template: Path, moved: timedelta, late: bool
) -> None:
    world, until = outside.world(template), datetime.now(JST) + timedelta(days=300)
    told = changes(world, life)
    told[0].not_after = until
    assert Recorder(world.engine, lambda: until + moved).record(told[:1]).late is late


async def test_a_command_that_was_accepted_and_then_held_up_has_not_happened_and_may_be_sent_again(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    told = changes(world, life)
    await world.run("record", told[:1])
    before = await world.traces()

    async def stored() -> Contract:
        with world.engine.begin() as connection:
            return contracts.snapshot(connection, f"k-{world.name}")

    async with working(outside, world, record=held_up(world)) as gate:
        command = turned_down(await stored())
        with pytest.raises(Refused, match="too_late"):
            await gate.send("act", in_seconds(command, SOON), f"k-{world.name}", stored)
        assert {**json.loads(await world.traces()), "workflows": []} == {
            **json.loads(before),
            "workflows": [],
        }
        await gate.send("act", in_seconds(command, 60), f"k-{world.name}", stored)
    assert (await stored()).state == "turned_down"


async def test_an_application_that_was_accepted_and_then_held_up_leaves_not_even_a_workflow(
    outside: OutsideWorld, template: Path
) -> None:
    world = outside.world(template)
    command_id = changes(world, life)[0].command_id
    contract = applied(contract_id=f"k-{world.name}", payment_id=f"pay-{world.name}")
    command = Apply(
        command_id=command_id, not_after=contract.applied_at, policy=contract.policy, by="customer"
    )

    async with working(outside, world, record=held_up(world)) as gate:
        with pytest.raises(Refused, match="too_late"):
            await gate.begin("apply", in_seconds(command, SOON), contract)
        async with asyncio.timeout(60):
            while COMPLETED not in await events(outside, contract.contract_id):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await gate.begin("apply", in_seconds(command, 60), contract)


def held_up(world: World) -> Callable[..., Any]:
    """Once, for longer than whoever asked waits."""
    waits = [SOON + 0.5]

    @activity.defn(name="record")
    def record(changes: list[Change]) -> Recorded:
        time.sleep(waits.pop() if waits else 0)
        recorded: Recorded = world.activities["record"](changes)
        return recorded

    return record


C = TypeVar("C", bound=Command)


def in_seconds(command: C, seconds: float) -> C:
    """The command, as good as that from now on."""
    return command.model_copy(update={"not_after": datetime.now(JST) + timedelta(seconds=seconds)})

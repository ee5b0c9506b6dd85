"""The store is never written from an older contract than it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import NoResultFound

from tests.activities.cases import changes, life, recorded
from tests.activities.world import OutsideWorld


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

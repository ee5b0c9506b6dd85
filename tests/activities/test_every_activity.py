"""An activity may run again at any time, and may have stopped at any step: each effect is there once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.runs import Reached
from tests.activities.cases import CASES, Prepare
from tests.activities.run_cases import RUN_CASES
from tests.activities.world import OutsideWorld

TRIED = {**CASES, **RUN_CASES}
ALL = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name in TRIED
    for number, case in enumerate(TRIED[name])
]


def test_every_registered_activity_is_tried_here(outside: OutsideWorld, template: Path) -> None:
    assert set(outside.world(template).activities) == set(TRIED)


@pytest.mark.parametrize(("name", "prepare"), ALL)
async def test_an_activity_can_run_twice_and_fail_at_each_step(
    outside: OutsideWorld, template: Path, name: str, prepare: Prepare
) -> None:
    once, steps = await undisturbed(outside, template, name, prepare)
    assert steps, "it does something"

    twice = outside.world(template)
    arguments = await prepare(twice)
    first = answer(await twice.run(name, *arguments))
    assert answer(await twice.run(name, *arguments)) == first
    assert await twice.traces() == once

    for number, step in enumerate(steps):
        world = outside.world(template)
        arguments = await prepare(world)
        outside.faults.begin(broken=number)
        with pytest.raises(Exception):  # noqa: B017 - whichever it is, Temporal runs the activity again
            await world.run(name, *arguments)
        outside.faults.begin(broken=None)
        assert answer(await world.run(name, *arguments)) == first
        assert await world.traces() == once, f"after a fault at step {number}: {step}"


def answer(told: Any) -> Any:
    """How much was done this time is for people to look at."""
    return told.last if isinstance(told, Reached) else told


async def undisturbed(
    outside: OutsideWorld, template: Path, name: str, prepare: Prepare
) -> tuple[str, list[str]]:
    """What it leaves, and its steps."""
    world = outside.world(template)
    arguments = await prepare(world)
    outside.faults.begin(broken=None)
    await world.run(name, *arguments)
    steps = list(outside.faults.steps)
    return await world.traces(), steps

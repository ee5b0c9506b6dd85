"""A settlement that is killed again and again charges every card once and begins every collection once."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from rules.calendar import day_of
from store.database import connect
from tests.activities.conftest import engine_address, outside, sandbox, settings, shared_sandbox, template
from tests.activities.test_settlement import (
    DUE,
    PERIOD,
    charges,
    in_force,
    left,
    paid_by_card,
    paid_on,
    pending,
    served,
)
from tests.activities.test_settlement import begun as collected
from tests.activities.test_settlement import rows as credits
from tests.activities.world import OutsideWorld, World
from tests.chaos.settling import begun
from tests.database import DATABASES, Postgres
from tests.store.test_settlement import card

__all__ = ["engine_address", "outside", "sandbox", "settings", "shared_sandbox", "template"]

KILLS = int(os.environ.get("KEIYAKU_TEST_RUN_KILLS", "3"))
"""On each database. CI kills a few times; fifty times were seen to come to the same."""
CARDS, DECLINED, INVOICES = 12, 3, 5


@pytest.fixture(params=DATABASES)
def new(
    request: pytest.FixtureRequest, tmp_path: Path, template: Path, outside: OutsideWorld
) -> Callable[[], World]:
    """An empty world on each database."""

    def make() -> World:
        name = uuid4().hex[:12]
        url = f"sqlite:///{tmp_path}/{name}.db"
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres_server")
            url = server.new_database(server.template)
        else:
            shutil.copy(template, tmp_path / f"{name}.db")
        return World(name, connect(url, pool_size=20), outside)

    return make


@pytest.mark.timeout(900)
@pytest.mark.rule("BIL-3")
async def test_killed_at_any_moment_a_settlement_charges_once_and_collects_once(
    new: Callable[[], World], engine_address: str, chance: random.Random
) -> None:
    undisturbed, killed = new(), new()
    whole = await settled(undisturbed, engine_address, [])
    await settled(killed, engine_address, [chance.uniform(0, whole) for _ in range(KILLS)])


def with_a_bad_card(world: World, name: str) -> str:
    """The gateway will decline it."""
    contract_id = in_force(world, name, "credit_card")
    card(world.engine, f"pay-{world.name}-{name}", "card_nobody", of=contract_id)
    return contract_id


async def settled(world: World, address: str, kills: list[float]) -> float:
    """With so many seconds to each kill; then to its end, which takes so many."""
    good = [await paid_by_card(world, f"a{number:02}", "tok_ok") for number in range(CARDS)]
    owing = [with_a_bad_card(world, f"b{number:02}") for number in range(DECLINED)]
    owing += [in_force(world, f"c{number:02}", "invoice") for number in range(INVOICES)]
    url = world.engine.url.render_as_string(hide_password=False)
    begin = partial(begun, url, world.outside.settings, address, PERIOD)
    async with served(world):
        for seconds in kills:
            process = await asyncio.to_thread(begin)
            await asyncio.sleep(seconds)
            process.kill()
            await asyncio.to_thread(process.join)
        process, began = await asyncio.to_thread(begin), time.monotonic()
        await asyncio.to_thread(process.join)
        whole = time.monotonic() - began
        assert process.exitcode == 0
    assert left(world) == []
    assert sorted(charges(world)) == [(f"settlement-{PERIOD}-{name}", 5000) for name in good]
    assert sorted((row["contract_id"], row["kind"], row["amount"]) for row in credits(world.engine)) == [
        (name, "card", 5000) for name in good
    ]
    assert {paid_on(world, name) for name in good} == {day_of(DUE)}
    assert collected(world) == dict.fromkeys(owing, DUE)
    assert [pending(world, name) for name in (*good, *owing)] == [[]] * len(good) + [["collection"]] * len(
        owing
    )
    return whole

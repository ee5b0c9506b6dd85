"""What the activities of a run over all contracts are called with, and the store they find."""

from __future__ import annotations

from sqlalchemy import update

from rules.runs import Range, Run
from store.tables import DeliveryRow
from store.write import table
from tests.activities.cases import Arguments, Prepare, first_delivery, life, recorded
from tests.activities.world import World
from tests.rules.cases import at

JULY = Run(job="month-end", period="2026-07")
LATER = at("2026-08-05 10:00:00")


async def late(world: World) -> Arguments:
    """A contract has a deadline that nobody has kept."""
    await recorded(world, 9)
    return JULY, LATER


async def begun(world: World) -> Arguments:
    await recorded(world, 9)
    return JULY, LATER


async def chunks(world: World) -> Arguments:
    await world.run("run_begin", *await begun(world))
    return JULY, Range()


async def notices(world: World) -> Arguments:
    """Something of the run is to be told."""
    delivery = await first_delivery(world, "return_reminder", life)
    rows = table(DeliveryRow)
    with world.engine.begin() as connection:
        connection.execute(update(rows).where(rows.c.outcome.is_(None)).values(outcome="arrived"))
        mine = rows.c.delivery_id == delivery.delivery_id
        name = f"r-{JULY.job}-{JULY.period}-{delivery.contract_id}-return_reminder"
        connection.execute(update(rows).where(mine).values(delivery_id=name, outcome=None))
    return (JULY,)


async def put_off(world: World) -> Arguments:
    """A mailbox would not take it at first; it is to be tried again by now."""
    arguments = await notices(world)
    long_ago, rows = at("1969-12-31 10:00:00"), table(DeliveryRow)
    with world.engine.begin() as connection:
        mine = rows.c.outcome.is_(None)
        values = {"put_off_since": long_ago, "next_try_at": long_ago, "trouble": "put off with 450"}
        connection.execute(update(rows).where(mine).values(values))
    return arguments


async def prove(world: World) -> Arguments:
    """Everything is dealt with and told."""
    await world.run("run_chunks", *await chunks(world))
    with world.engine.begin() as connection:
        connection.execute(update(table(DeliveryRow)).values(outcome="arrived"))
    return JULY, LATER, 0


RUN_CASES: dict[str, list[Prepare]] = {
    "run_ready": [late],
    "run_begin": [begun],
    "run_chunks": [chunks],
    "run_notices": [notices],
    "run_prove": [prove],
    "run_put_off": [put_off],
}

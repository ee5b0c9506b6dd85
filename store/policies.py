"""Every policy that contracts were decided by stays known, so that a change of policy moves no date already given."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sqlalchemy import Connection, Engine, select

from rules import policy
from rules.figures import Policy
from store.database import DOWN
from store.tables import PolicyRow
from store.write import table, upsert

LOOK_SECONDS = 5


def agree(engine: Engine, present: Policy) -> None:
    """Decide by `present` from now on, let other processes know, and learn theirs."""
    name = policy.use(present)
    with engine.begin() as connection:
        upsert(connection, PolicyRow, [{"digest": name, "body": present.model_dump(mode="json")}])
    learn(engine)


async def hear(engine: Engine) -> None:
    """A policy that another process decides by becomes known here, too: contracts are shown and judged by theirs."""
    while True:
        with suppress(*DOWN):
            await asyncio.to_thread(learn, engine)
        await asyncio.sleep(LOOK_SECONDS)


def of(connection: Connection, name: str) -> Policy:
    """The policy of that digest, also where another process began to use it after this one had started."""
    try:
        return policy.of(name)
    except policy.UnknownPolicy:
        rows = table(PolicyRow)
        body = connection.execute(select(rows.c.body).where(rows.c.digest == name)).scalar_one()
        policy.know(policy.remembered(body), name)
        return policy.of(name)


def learn(engine: Engine) -> None:
    """Hear of every policy in the store, under the names that contracts remember."""
    rows = table(PolicyRow)
    with engine.begin() as connection:
        found = connection.execute(select(rows.c.digest, rows.c.body)).all()
    for name, body in found:
        policy.know(policy.remembered(body), name)

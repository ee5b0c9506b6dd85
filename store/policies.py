"""Every policy that contracts were decided by stays known, so that a change of policy moves no date already given."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select

from rules import policy
from rules.figures import Policy
from store.tables import PolicyRow
from store.write import table, upsert

LEARN_AFTER = 5
"""Seconds after which a process looks for policies that others decide by."""


def agree(engine: Engine, present: Policy) -> None:
    """Decide by `present` from now on, let other processes know, and learn theirs."""
    name = policy.use(present)
    with engine.begin() as connection:
        upsert(connection, PolicyRow, [{"digest": name, "body": present.model_dump(mode="json")}])
    learn(engine)


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

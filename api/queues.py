"""How many wait ahead for an operator, and about how long it takes (BIL-7)."""

from __future__ import annotations

from typing import Any

from api.service import Service
from rules import policy
from store import tasks


async def queue(found: Service, procedure: dict[str, Any]) -> dict[str, int] | None:
    """None unless the procedure waits for an operator."""
    if procedure["waiting_on"] != "operator":
        return None
    names = procedure["contract_id"], procedure["procedure_id"]
    ahead = await found.read(lambda connection: tasks.ahead(connection, *names))
    minutes = policy.current().operators.minutes_per_case
    return None if ahead is None else {"ahead": ahead, "about_minutes": (ahead + 1) * minutes}

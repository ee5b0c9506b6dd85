"""The activities by which a contract's workflow reaches the store and the outside."""

from __future__ import annotations

from temporalio import workflow

from rules.change import Change, Recorded
from rules.facts import Delivery
from workflows import visible
from workflows.timing import ALIVE_WITHIN, OUTSIDE_RETRY, OUTSIDE_TIMEOUT, STORE_RETRY, STORE_TIMEOUT


async def record(changes: list[Change]) -> Recorded:
    """Have the changes written, again and again until the store answers."""
    recorded: Recorded = await workflow.execute_local_activity(
        "record",
        changes,
        result_type=Recorded,
        summary=visible.recorded(changes),
        start_to_close_timeout=STORE_TIMEOUT,
        retry_policy=STORE_RETRY,
    )
    return recorded


async def carry_out(delivery: Delivery) -> str:
    """Have it tried until it has arrived or is refused for good: what came of it."""
    outcome: str = await workflow.execute_activity(
        {"register_card": "register_card", "wake": "wake"}.get(delivery.kind, "send"),
        delivery,
        result_type=str,
        summary=delivery.kind.replace("_", " "),
        start_to_close_timeout=OUTSIDE_TIMEOUT,
        heartbeat_timeout=ALIVE_WITHIN,
        retry_policy=OUTSIDE_RETRY,
    )
    return outcome

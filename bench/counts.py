"""What each procedure costs from start to end: events in the history, and billable actions as Temporal defines them.

Billable actions, read from the history (docs.temporal.io/cloud/actions): a workflow start or continue-as-new, an accepted
update, a signal, a timer, an upsert of search attributes, each start or retry of an activity, and one for all local
activities of one workflow task. Search attributes given with a start, and repeated updates, cost nothing; a refused update
costs one action and leaves nothing in the history. Queries, of which we make none, would cost one each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, RPCError, RPCStatusCode

from demo.clock import Clock
from demo.customer import Customer
from demo.service import with_service
from embedded.plan import Plan
from gate import connect_client

ONE_EACH = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}
MONTHS_APART = 4


@dataclass(frozen=True)
class Count:
    """What was added to the histories of a contract and of the one that follows it."""

    procedure: str
    events: int
    actions: int


Act = Callable[[Customer], Awaitable[None]]


async def applies(c: Customer) -> None:
    await c.applies("wifi-50")
    await c.operator_does("confirm_application", "approve")
    await c.operator_does("report_shipped")


async def changes_plan(c: Customer) -> None:
    await c.asks("plan_change", plan="wifi-100", course="standard")
    await c.operator_does("report_shipped")
    await months_later(c, 1)
    await c.operator_does("receive_device", contract=0)


async def changes_plan_and_is_late(c: Customer) -> None:
    await c.asks("plan_change", plan="wifi-100", course="standard")
    await c.operator_does("report_shipped")
    await months_later(c, 2)
    await c.operator_does("receive_device", contract=0)


async def cancels(c: Customer) -> None:
    await c.asks("cancellation")
    await months_later(c, 1)
    await c.operator_does("receive_device")


async def changes_card(c: Customer) -> None:
    await c.asks("payment_method", payment={"method": "credit_card", "card_token": "tok_ok"})


async def takes_support(c: Customer) -> None:
    await c.asks("support_option", option="support")
    await months_later(c, 1)


async def is_idle(c: Customer) -> None:
    await months_later(c, 1)


async def months_later(c: Customer, months: int) -> None:
    """The 5th of a later month."""
    month = (c.clock.now.year - c.clock.begins.year) * 12 + c.clock.now.month - c.clock.begins.month
    await c.clock.move(c.clock.at(month + months, 5))


LIVES: list[list[tuple[str, Act]]] = [
    [
        ("application by card, to the contract in force", applies),
        ("coming to rest, once", is_idle),
        ("an idle contract-month", is_idle),
    ],
    [("", applies), ("plan change, device back in time", changes_plan)],
    [("", applies), ("plan change, device charged and back later", changes_plan_and_is_late)],
    [("", applies), ("cancellation, device back in time", cancels)],
    [("", applies), ("payment method", changes_card), ("support option", takes_support)],
]


async def count(say: Callable[[str], None]) -> list[Count]:
    """On the time-skipping server. Raises Problem, and Stopped after Ctrl-C."""
    found: list[Count] = []

    async def work(plan: Plan) -> None:
        found.extend([one async for one in _counts(plan, say)])

    await with_service(work, say)
    return found


async def _counts(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[Count]:
    client = await connect_client(plan.settings)
    operator = {"Authorization": f"Bearer {next(iter(plan.settings.operator_names()))}"}
    async with httpx.AsyncClient(base_url=plan.api, timeout=60, trust_env=False) as http:
        clock = await Clock.of(http)
        for number, life in enumerate(LIVES):
            await clock.move(clock.at(number * MONTHS_APART, 2))
            customer = Customer("counted", "山田 花子", "ヤマダ ハナコ", http, operator, clock)
            for procedure, act in life:
                say(f"Counting: {procedure or 'application'} …")
                before = await _cost(client, customer)
                await act(customer)
                await clock.rest()
                after = await _cost(client, customer)
                if procedure:
                    yield Count(procedure, after[0] - before[0], after[1] - before[1])


async def _cost(client: Client, customer: Customer) -> tuple[int, int]:
    """Events and actions of all the customer's contracts up to now."""
    events = actions = 0
    for contract_id in customer.contracts:
        try:
            history = await client.get_workflow_handle(contract_id).fetch_history()
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise
            continue  # a successor that nothing has called yet
        events += len(history.events)
        actions += billable(history.events)
    return events, actions


def billable(events: Iterable[HistoryEvent]) -> int:
    """The billable actions that a history shows."""
    found, local = 0, set()
    for event in events:
        if event.event_type in ONE_EACH:
            found += 1
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            found += event.activity_task_started_event_attributes.attempt
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            local.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
    return found + len(local)

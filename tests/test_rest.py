"""A contract that nothing happens to costs Temporal nothing; whoever asks for something does not notice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus

from rules import policy
from tests.chaos.waiting import comes_to
from tests.stack import CARD, Rental, Stack, eventually
from tests.test_catch_up import catch_up, loses

DAYS = policy.load().workflow.rest_after_days
CHANGE = {"plan": "wifi-50", "course": "standard"}


async def status(stack: Stack, contract_id: str) -> WorkflowExecutionStatus | None:
    client = await Client.connect(stack.note["temporal_address"])
    return (await client.get_workflow_handle(contract_id).describe()).status


async def started(stack: Stack, contract_id: str) -> list[HistoryEvent]:
    """The timers of its last run."""
    client = await Client.connect(stack.note["temporal_address"])
    history = await client.get_workflow_handle(contract_id).fetch_history()
    return [event for event in history.events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED]


async def timers(stack: Stack, contract_id: str) -> int:
    return len(await started(stack, contract_id))


async def rests_at(stack: Stack, contract_id: str) -> datetime:
    """When its timer rings, if nothing happens."""
    (timer,) = await started(stack, contract_id)
    within = timer.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    return timer.event_time.ToDatetime(UTC) + within


async def in_force(stack: Stack) -> Rental:
    """All that its beginning sends has left, and the engine, which hears of it later than the store, waits for its rest."""
    rental = stack.active_contract()
    eventually(lambda: not stack.operate("GET", f"/contracts/{rental.contract_id}").json()["on_their_way"])
    await comes_to(1, lambda: timers(stack, rental.contract_id))
    return rental


async def test_it_rests_after_a_quiet_month_and_a_plan_change_wakes_it(running_stack: Stack) -> None:
    stack = running_stack
    rental = await in_force(stack)
    stack.pass_days(DAYS - 1)
    assert await status(stack, rental.contract_id) is WorkflowExecutionStatus.RUNNING
    stack.pass_days(2)
    assert await status(stack, rental.contract_id) is WorkflowExecutionStatus.COMPLETED
    assert await timers(stack, rental.contract_id) == 1, "one timer a quiet spell"
    assert rental.state == "active"

    stack.at(range(2, 10))
    change = rental.agree("plan_change", **CHANGE)
    assert await status(stack, rental.contract_id) is WorkflowExecutionStatus.RUNNING
    stack.at(1, time="00:00:05")
    assert rental.state == "ended"
    assert rental.other(change["successor_contract_id"]).state == "active"
    stack.pass_days(DAYS + 1)
    assert rental.procedure(change["procedure_id"])["state"] == "device_charged"


async def test_one_for_which_something_is_pending_does_not_rest(running_stack: Stack) -> None:
    stack = running_stack
    contract_id = stack.apply()
    stack.pass_days(DAYS + 5)
    assert await status(stack, contract_id) is WorkflowExecutionStatus.RUNNING
    assert await timers(stack, contract_id) == 0


async def test_catching_up_starts_none_that_rests(running_stack: Stack) -> None:
    stack = running_stack
    resting, pending = await in_force(stack), stack.apply()
    stack.pass_days(DAYS + 1)
    await loses(stack, pending)

    told = catch_up(stack)

    assert told.returncode == 0, told.stderr
    assert await status(stack, resting.contract_id) is WorkflowExecutionStatus.COMPLETED
    assert await status(stack, pending) is WorkflowExecutionStatus.RUNNING


async def test_a_request_in_the_moment_of_coming_to_rest_is_taken_and_the_clock_goes_on(
    running_stack: Stack,
) -> None:
    stack = running_stack
    rentals = [await in_force(stack) for _ in range(8)]
    moments = [await rests_at(stack, rental.contract_id) for rental in rentals]
    stack.move(moments[0] - timedelta(seconds=3))
    for rental in rentals:
        assert rental.state == "active", "signed in"

    for early, rental, moment in zip(range(5, 45, 5), rentals, moments, strict=True):
        asked_at = moment - timedelta(milliseconds=early)
        await asyncio.sleep(max(0.0, (asked_at - stack.now()).total_seconds()))
        assert rental.ask("payment_method", payment=CARD).status_code == 202

    stack.pass_days(1)

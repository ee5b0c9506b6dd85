"""`keiyaku catch-up`: the store tells an engine that lost something."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from gate import Gate
from rules.change import Bill
from rules.facts import Contract
from store import contracts
from store.database import connect
from tests.running import KEIYAKU
from tests.stack import Stack


def catch_up(stack: Stack, **env: str) -> subprocess.CompletedProcess[str]:
    given = {
        "KEIYAKU_DATA_DIR": str(stack.service.data),
        "KEIYAKU_DATABASE_URL": stack.database_url,
        "KEIYAKU_TEMPORAL_ADDRESS": stack.note["temporal_address"],
    }
    command = [str(KEIYAKU), "catch-up"]
    return subprocess.run(
        command, env=os.environ | given | env, capture_output=True, text=True, timeout=60, check=False
    )


async def loses(stack: Stack, contract_id: str) -> Client:
    """The engine no longer knows of the contract."""
    client = await Client.connect(stack.note["temporal_address"], data_converter=pydantic_data_converter)
    await client.get_workflow_handle(contract_id).terminate("lost")
    return client


async def test_a_contract_that_the_engine_lost_runs_again_and_keeps_its_deadlines(
    running_stack: Stack,
) -> None:
    stack = running_stack
    stack.at(range(2, 10))
    rental = stack.active_contract()
    procedure = rental.agree("cancellation")
    client = await loses(stack, rental.contract_id)

    told = catch_up(stack)

    assert told.returncode == 0, told.stderr
    now = await client.get_workflow_handle(rental.contract_id).describe()
    assert now.status is WorkflowExecutionStatus.RUNNING
    stack.at(1)
    assert rental.procedure(procedure["procedure_id"])["state"] == "awaiting_device"


@pytest.mark.rule("CAL-4")
async def test_a_request_is_judged_by_what_the_store_knows_though_the_engine_lost_a_step(
    running_stack: Stack,
) -> None:
    stack = running_stack
    stack.at(range(2, 10))
    rental = stack.preparing_contract()
    before = stored(stack, rental.contract_id)
    stack.ship(rental.contract_id)
    client = await loses(stack, rental.contract_id)
    await Gate(client, "contracts").start(before)

    procedure = rental.agree("cancellation")

    assert rental.procedure(procedure["procedure_id"])["state"] == "accepted"


@pytest.mark.rule("BIL-3")
async def test_a_payment_that_was_made_of_what_the_engine_knew_is_made_anew_of_what_the_store_knows(
    running_stack: Stack,
) -> None:
    stack = running_stack
    rental = stack.preparing_contract()
    before = stored(stack, rental.contract_id)
    stack.ship(rental.contract_id)
    client = await loses(stack, rental.contract_id)
    gate = Gate(client, "contracts")
    await gate.start(before)
    known = [before]

    async def read() -> tuple[Bill, Contract]:
        contract = known.pop() if known else stored(stack, rental.contract_id)
        return payment(stack, contract), contract

    assert await gate.send_fresh("bill", rental.contract_id, read)

    assert [entry["what"] for entry in rental.items("/timeline")].count("payment_over") == 1


def payment(stack: Stack, contract: Contract) -> Bill:
    """Of a hundred yen that nobody owes."""
    now = stack.now()
    return Bill(
        command_id=f"paid-{contract.contract_id}",
        not_after=now + timedelta(minutes=1),
        policy=contract.policy,
        by="operator",
        event="payment",
        period=f"{now:%Y-%m}",
        at=now,
        number=contract.number,
        bills=[],
        amount=100,
    )


def stored(stack: Stack, contract_id: str) -> Contract:
    engine = connect(stack.database_url)
    with closing(engine.connect()) as connection:
        return contracts.snapshot(connection, contract_id)


def test_where_temporal_does_not_answer_it_says_so(running_stack: Stack) -> None:
    told = catch_up(running_stack, KEIYAKU_TEMPORAL_ADDRESS="127.0.0.1:1")
    assert told.returncode == 1
    assert "does Temporal at 127.0.0.1:1 answer" in told.stderr

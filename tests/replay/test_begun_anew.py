"""A contract that goes on in a new run, again and again, loses nothing in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from gate import Gate
from rules import policy
from rules.change import Answer, Request
from rules.facts import Contract
from store import contracts
from store.database import connect, reading
from store.tables import TransitionRow
from store.write import table
from tests.replay.lives import faults, many_cards, on_their_way, pending_in_every_way
from tests.replay.record import runs, short_runs
from tests.stack import Rental, Stack, eventually, new_key, stack

CARDS = 24


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """With short runs."""
    folder = tmp_path_factory.mktemp("anew")
    monkeypatch.setenv("KEIYAKU_POLICY_FILE", str(short_runs(folder)))
    with stack(folder / "data", "") as running:
        yield running


def test_nothing_is_lost_and_nothing_is_done_twice(own_stack: Stack) -> None:
    rental = pending_in_every_way(own_stack)
    contract_id = rental.contract_id

    many_cards(rental, CARDS)
    verdicts = at_once(rental, 16)
    assert set(verdicts) == {202, 409} and verdicts[409], "one at a time, the others are told so (CAL-4)"

    found = asyncio.run(runs(own_stack.note["temporal_address"], contract_id))
    assert len(found) >= 3, "long enough for several runs"
    assert [d["kind"] for d in on_their_way(own_stack, contract_id)] == ["login"]
    assert {p["kind"] for p in rental.read()["pending"]} >= {"plan_change"}

    before = snapshot(rental)
    for oldest, procedure_id in list(before.answers.items())[:3]:
        assert asyncio.run(ask_again(own_stack, contract_id, oldest)).procedure_id == procedure_id
    assert snapshot(rental) == before
    assert len(before.answers) == policy.load().workflow.answers_remembered

    faults(own_stack, smtp="up")
    own_stack.mailed("login", contract_id)
    assert Counter(mail["kind"] for mail in own_stack.outbox(contract_id=contract_id)) == {"login": 1}

    told = timeline(rental)
    accepted = CARDS + verdicts[202]
    assert told["payment_method_accepted"] == accepted
    assert told["payment_method_in_effect"] + told["payment_method_declined"] == accepted
    assert told["plan_change_accepted"] == told["contract_active"] == 1
    assert numbers(rental) == list(range(1, snapshot(rental).number + 1))
    assert snapshot(rental).in_force_to is not None


def at_once(rental: Rental, callers: int) -> Counter[int]:
    """So many ask for another card in the same moment."""
    token = rental.customer.token

    def ask(_: int) -> int:
        body = {"payment": {"method": "credit_card", "card_token": "tok_ok"}}
        path, key = f"{rental.path}/procedures/payment_method", {"Idempotency-Key": new_key()}
        return rental.customer.stack.call("POST", path, token, json=body, headers=key).status_code

    with ThreadPoolExecutor(callers) as executor:
        verdicts = Counter(executor.map(ask, range(callers)))
    eventually(lambda: {pending["kind"] for pending in rental.read()["pending"]} == {"plan_change"})
    return verdicts


async def ask_again(running: Stack, contract_id: str, command_id: str) -> Answer:
    """The same command, runs later, by somebody who has no patience left."""
    address = running.note["temporal_address"]
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    again = Request(
        command_id=command_id,
        not_after=running.now() - timedelta(hours=1),
        policy="forgotten",
        by="customer",
        kind="payment_method",
        body={},
    )

    async def never() -> Contract:
        raise AssertionError("the workflow runs")

    return await Gate(client, "contracts").send("request", again, contract_id, never)


def snapshot(rental: Rental) -> Contract:
    with reading(connect(rental.customer.stack.database_url)).begin() as connection:
        return contracts.snapshot(connection, rental.contract_id)


def timeline(rental: Rental) -> Counter[str]:
    """How often each thing happened."""
    with reading(connect(rental.customer.stack.database_url)).begin() as connection:
        return Counter(row["what"] for row in contracts.timeline(connection, rental.contract_id))


def numbers(rental: Rental) -> list[int]:
    """Of the transitions that are written down."""
    rows = table(TransitionRow)
    mine = select(rows.c.number).where(rows.c.contract_id == rental.contract_id).order_by(rows.c.number)
    with reading(connect(rental.customer.stack.database_url)).begin() as connection:
        return list(connection.execute(mine).scalars())

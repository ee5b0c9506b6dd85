"""The outside does not do what it should: the contract comes through, nothing happens twice, operators see why it waits."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from tests.conftest import Stacks
from tests.stack import Rental, Stack, eventually


@pytest.fixture
def stack(stacks: Stacks) -> Iterator[Stack]:
    running = stacks("sqlite")
    yield running
    faults(running, smtp="up", gateway="up")
    running.let_be()


def paid_by(token: str) -> dict[str, str]:
    return {"method": "credit_card", "card_token": token}


def faults(stack: Stack, **how: str) -> None:
    httpx.post(f"{stack.note['sandbox']}/faults", json=how, trust_env=False).raise_for_status()


def on_their_way(stack: Stack, contract_id: str) -> list[dict[str, Any]]:
    answer = stack.operate("GET", f"/contracts/{contract_id}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["on_their_way"])


def in_trouble(stack: Stack, contract_id: str) -> dict[str, Any]:
    """The one thing that fails, once it has. What does not, as the waking of another contract, is on its way for a moment."""
    (found,) = eventually(
        lambda: [waiting for waiting in on_their_way(stack, contract_id) if waiting["tries"]]
    )
    return found


def told(stack: Stack, contract_id: str) -> list[str]:
    answer = stack.operate("GET", f"/contracts/{contract_id}/timeline")
    return [entry["what"] for entry in answer.json()["items"]]


def cards_taken(stack: Stack, contract_id: str) -> int:
    ledger = httpx.get(f"{stack.note['sandbox']}/gateway/ledger", trust_env=False).json()
    return len([card for card in ledger["cards"] if card["key"].startswith(f"d-{contract_id[2:]}-")])


def pending_activity(stack: Stack, contract_id: str) -> tuple[str, str]:
    """Which it is, and why it failed last, as the Temporal UI shows it; there it is seen a moment after the store knows it."""

    async def look() -> list[tuple[str, str]]:
        client = await Client.connect(stack.note["temporal_address"])
        found = await client.get_workflow_handle(contract_id).describe()
        pending = found.raw_description.pending_activities
        return [
            (one.activity_type.name, one.last_failure.message) for one in pending if one.last_failure.message
        ]

    (failing,) = eventually(lambda: asyncio.run(look()))
    return failing


def test_a_mail_server_that_is_down_for_an_hour(stack: Stack) -> None:
    stack.at(day=range(2, 28))
    contract_id = stack.apply(payment={"method": "atone"})
    faults(stack, smtp="down")
    stack.approve(contract_id)

    waiting = in_trouble(stack, contract_id)
    assert (waiting["kind"], waiting["trouble"]) == ("login", "mail server: SMTPConnectError")
    assert pending_activity(stack, contract_id) == ("send", "mail server: SMTPConnectError")
    stack.ship(contract_id)
    stack.move(stack.now() + timedelta(hours=1))
    assert in_trouble(stack, contract_id)["tries"] > 5
    assert stack.outbox(contract_id=contract_id) == []

    faults(stack, smtp="up")
    stack.move(stack.now() + timedelta(minutes=6))
    assert [mail["kind"] for mail in stack.outbox(contract_id=contract_id)] == ["login"]
    assert on_their_way(stack, contract_id) == []


@pytest.mark.rule("BIL-8")
def test_mailboxes_that_put_off_a_month_end_hold_up_neither_it_nor_the_settlement(stack: Stack) -> None:
    rental = stack.active_contract(payment={"method": "atone"})
    stack.at(day=1, time="00:00:01")
    faults(stack, smtp="busy")
    stack.at(day=26)
    jobs = {job["name"]: job for job in stack.operate("GET", "/jobs").json()["items"]}
    assert [jobs[name]["progress"]["state"] for name in ("month-end", "settlement")] == ["done", "done"]
    parked = {one["contract_id"]: one["reason"] for one in jobs["month-end"]["result"]["parked"]}
    assert parked[rental.contract_id] == "put off with 451"
    assert told(stack, rental.contract_id).count("notice_undeliverable") == 1, "it has lasted for days"

    stack.at(day=1, time="00:30:00")
    assert in_trouble(stack, rental.contract_id)["trouble"] == "put off with 451"
    faults(stack, smtp="up")
    stack.at(day=1, time="09:00:00")
    assert on_their_way(stack, rental.contract_id) == []
    assert len(stack.outbox(contract_id=rental.contract_id, kind="statement")) == 1


@pytest.mark.rule("RNT-9")
def test_what_a_worker_that_stood_still_has_missed_does_not_happen_when_it_goes_on(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=range(2, 10))
    consent = rental.preview("cancellation").json()["consent"]
    worker = stack.note["parts"]["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        path = f"{rental.path}/procedures/cancellation"
        refused = stack.once("POST", path, rental.customer.token, json={"consent": consent})
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert stack.call("GET", "/readyz").status_code == 200
    time.sleep(3)
    assert (rental.state, rental.read()["pending"]) == ("active", [])
    assert rental.ask("cancellation", consent=consent).status_code == 202


def test_a_recipient_that_is_refused_for_good(stack: Stack) -> None:
    contract_id = stack.apply(payment={"method": "atone"})
    faults(stack, smtp="refuse")
    stack.approve(contract_id)

    eventually(lambda: "notice_undeliverable" in told(stack, contract_id))
    stack.ship(contract_id)
    faults(stack, smtp="up")
    stack.move(stack.now() + timedelta(minutes=10))
    assert stack.outbox(contract_id=contract_id) == []
    assert on_their_way(stack, contract_id) == []
    assert told(stack, contract_id).count("notice_undeliverable") == 1
    assert told(stack, contract_id)[-1] == "contract_active"


def test_a_card_declined_at_the_application_is_said_and_a_new_one_lifts_the_block(stack: Stack) -> None:
    rental = stack.active_contract(payment=paid_by("tok_declined"))
    stack.at(day=range(2, 20))
    assert rental.read()["blocks"] == ["card_declined"]
    assert told(stack, rental.contract_id).count("card_declined") == 1
    assert give_card(rental, "tok_ok") == "in_effect"
    assert rental.read()["blocks"] == []
    assert cards_taken(stack, rental.contract_id) == 1


@pytest.mark.rule("RNT-14", "RNT-15")
def test_a_card_declined_at_a_change_leaves_the_old_way_of_paying(stack: Stack) -> None:
    rental = stack.active_contract(payment={"method": "atone"})
    stack.at(day=range(2, 20))
    assert give_card(rental, "tok_declined") == "declined"
    assert rental.read()["payment_method"] == "atone"
    assert rental.read()["blocks"] == []
    assert cards_taken(stack, rental.contract_id) == 0


@pytest.mark.rule("RNT-3", "RNT-15")
def test_a_card_change_that_a_plan_change_overtook_holds_for_both_contracts(stack: Stack) -> None:
    old = stack.active_contract(payment={"method": "atone"})
    stack.at(day=range(2, 15))
    faults(stack, gateway="down")
    assert old.ask("payment_method", payment=paid_by("tok_ok")).status_code == 202
    old.agree("plan_change", plan="wifi-50", course="standard")
    new = old.other(old.read()["successor_contract_id"])
    for one in (old, new):
        assert "payment_method" in [pending["kind"] for pending in one.read()["pending"]]
        assert in_trouble(stack, one.contract_id)["kind"] == "register_card"
    faults(stack, gateway="up")
    stack.move(stack.now() + timedelta(minutes=6))
    for one in (old, new):
        assert one.read()["payment_method"] == "credit_card"
        assert told(stack, one.contract_id).count("payment_method_in_effect") == 1
    assert (cards_taken(stack, old.contract_id), cards_taken(stack, new.contract_id)) == (1, 0)


def give_card(rental: Rental, token: str) -> str:
    """The state in which the change ends."""
    answer = rental.ask("payment_method", payment=paid_by(token))
    assert answer.status_code == 202, answer.text
    procedure_id = answer.json()["procedure_id"]
    return str(eventually(lambda: {rental.procedure(procedure_id)["state"]} - {"accepted"}).pop())


def test_a_gateway_that_fails_now_and_then_takes_a_card_once(stack: Stack) -> None:
    contract_id = stack.apply(payment=paid_by("tok_flaky"))
    assert in_trouble(stack, contract_id)["trouble"] == "gateway: answered 503"
    eventually(lambda: not on_their_way(stack, contract_id))
    assert told(stack, contract_id).count("card_taken") == 1
    assert cards_taken(stack, contract_id) == 1


def test_a_gateway_that_is_down_holds_up_nothing_else(stack: Stack) -> None:
    faults(stack, gateway="down")
    contract_id = stack.apply(payment=paid_by("tok_ok"))
    assert in_trouble(stack, contract_id)["kind"] == "register_card"
    assert pending_activity(stack, contract_id) == ("register_card", "gateway: answered 503")
    stack.approve(contract_id)
    stack.ship(contract_id)
    stack.mailed("login", contract_id)
    faults(stack, gateway="up")
    stack.move(stack.now() + timedelta(minutes=6))
    assert told(stack, contract_id).count("card_taken") == 1
    assert cards_taken(stack, contract_id) == 1


def test_a_gateway_that_takes_half_a_minute_takes_a_card_once_and_the_clock_waits_for_it(
    stack: Stack,
) -> None:
    contract_id = stack.apply(payment=paid_by("tok_slow"))
    assert [waiting["kind"] for waiting in on_their_way(stack, contract_id)] == ["register_card"]
    stack.approve(contract_id)
    stack.ship(contract_id)
    assert told(stack, contract_id).count("card_taken") == 0
    for days in (1, 40):
        stack.move(stack.now() + timedelta(days=days))
    assert told(stack, contract_id).count("card_taken") == 1
    assert cards_taken(stack, contract_id) == 1
    assert on_their_way(stack, contract_id) == []

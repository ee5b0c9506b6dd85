"""Personal data planted everywhere a caller can say some is found in the store only: in no history, log or metric."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client

from tests.stack import Customer, Rental, Stack, application, eventually

CANARIES = {
    "name": "金糸雀 籠子",
    "kana": "カナリヤ カゴコ",
    "email": "canary.kagoko@cage.example.jp",
    "phone": "08073629154",
    "postal_code": "9993141",
    "address": "山形県上山市金糸雀町7-3-9",
}
MOVED = {
    "email": "canary.moved@nest.example.jp",
    "phone": "08015926535",
    "postal_code": "6028585",
    "address": "京都市上京区巣箱通8-9",
}
NOTE = "called back at 0751112223, her name is Kanaria"
TOKENS = ("tok_canary_first", "tok_canary_second")


def secrets(rental: Rental) -> list[str]:
    login = rental.customer
    words = [*CANARIES.values(), *MOVED.values(), NOTE, *TOKENS, login.login_id, login.password, login.token]
    return words + [part for name in (CANARIES["name"], CANARIES["kana"]) for part in name.split()]


@pytest.fixture
def lived(stack: Stack) -> Rental:
    """The same for all tests here."""
    return live(stack)


@cache
def live(stack: Stack) -> Rental:
    """A customer who does everything there is to do, some of it wrongly, and whom operators look for."""
    card = {"method": "credit_card", "card_token": TOKENS[0]}
    wanted = application(applicant=CANARIES, payment=card, course="omatome")
    headers = {"Idempotency-Key": CANARIES["email"]}
    contract_id = stack.call("POST", "/v1/applications", json=wanted, headers=headers).json()["contract_id"]
    stack.call("POST", "/v1/applications", json=wanted | {"plan": CANARIES["name"]})
    stack.call("POST", "/v1/applications", content=json.dumps(wanted)[:-3].encode())
    stack.do("confirm_application", contract_id, "approve", note=NOTE)
    fields = stack.mailed("login", contract_id)["fields"]
    stack.ship(contract_id)
    rental = Rental(Customer(stack, fields["login_id"], fields["password"]), contract_id)
    for wrong in (CANARIES["email"], CANARIES["name"]):
        stack.sign_in(wrong, CANARIES["phone"])
    for mistaken in (CANARIES["email"], CANARIES["phone"]):
        stack.operate("GET", f"/contracts/{mistaken}")
    for query in CANARIES.values():
        stack.operate("GET", "/contracts", params={"query": query})
    stack.outbox(to=CANARIES["email"])
    stack.at(day=3)
    rental.customer.call("PATCH", f"{rental.path}/registered-data", json=MOVED)
    rental.ask("payment_method", payment={"method": "credit_card", "card_token": TOKENS[1]})
    eventually(lambda: not rental.read()["pending"])
    successor = rental.agree("plan_change", plan="wifi-50", course="standard")["successor_contract_id"]
    rental.get(f"/nothing/{CANARIES['name']}")
    stack.at(day=1)
    stack.at(day=28)
    stack.do("receive_device", contract_id, note=NOTE)
    stack.ship(successor)
    return rental


def spellings(word: str) -> list[bytes]:
    """As text, as JSON writes it, as an address on the web."""
    return [word.encode(), json.dumps(word)[1:-1].encode(), str(httpx.QueryParams({"q": word}))[2:].encode()]


def found_in(told: bytes, words: list[str]) -> list[str]:
    return [word for word in words if any(spelling in told for spelling in spellings(word))]


async def test_no_history_search_attribute_or_memo_has_any(stack: Stack, lived: Rental) -> None:
    client = await Client.connect(stack.note["temporal_address"])
    words = secrets(lived)
    for contract in lived.customer.get("/v1/contracts").json()["items"]:
        workflow = client.get_workflow_handle(contract["contract_id"])
        history = b"\n".join([event.SerializeToString() async for event in workflow.fetch_history_events()])
        description = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace="default", execution=WorkflowExecution(workflow_id=contract["contract_id"])
            )
        )
        assert contract["contract_id"].encode() in history, "we look where there is something"
        assert found_in(history, words) == []
        assert found_in(description.SerializeToString(), words) == []


def test_no_log_and_no_metric_has_any(stack: Stack, lived: Rental) -> None:
    words = secrets(lived)
    for path in logs(stack):
        assert found_in(path.read_bytes(), words) == [], path.name
    for name, url in stack.note["metrics"].items():
        told = httpx.get(url, trust_env=False).content
        assert b"# HELP" in told
        assert found_in(told, words) == [], name


def test_the_outside_keeps_it_where_it_belongs(stack: Stack, lived: Rental) -> None:
    """So that the other tests look for what really went through."""
    assert lived.read()["registered_data"]["name"] == CANARIES["name"]
    assert CANARIES["name"] in stack.mailed("login", lived.contract_id)["text"]
    assert MOVED["email"] == stack.mailed("return_reminder", lived.contract_id)["to"]


def logs(stack: Stack) -> Iterator[Path]:
    """What every process of the stack has said so far."""
    found = sorted((stack.service.data / "logs").glob("*.log*"))
    assert {path.stem for path in found} >= {"api", "worker", "sandbox", "temporal"}
    yield from found
    yield from stack.folder.parent.glob("*.out")

"""Procedures as lists, one by one, as pictures; the operators' queue; pages."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import shapes
from api.procedures import _facts
from store.changes import facts
from store.database import connect
from store.migrate import upgrade
from store.tables import ContractRow, PassportIdRow
from store.write import insert
from tests.rules.cases import at
from tests.stack import Rental, Stack
from tests.workflows.life import line_in_force


def test_a_contract_lists_its_procedures_oldest_first(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=2)
    rental.ask("support_option", option="support")
    rental.agree("cancellation")
    listed = rental.items("/procedures")
    assert [procedure["kind"] for procedure in listed] == ["application", "support_option", "cancellation"]
    for procedure in listed:
        found = rental.procedure(procedure["procedure_id"])
        assert {name: found[name] for name in procedure} == procedure


def test_a_procedure_tells_its_history_and_who_did_it(stack: Stack) -> None:
    rental = stack.preparing_contract()
    stack.ship(rental.contract_id)
    (application,) = rental.items("/procedures")
    found = rental.procedure(application["procedure_id"])
    assert (found["state"], found["waiting_on"], found["queue"]) == ("active", "nobody", None)
    moves = [(move["event"], move["from"], move["to"], move["by"]) for move in found["history"]]
    assert moves == [
        (None, None, "applied", "customer"),
        ("approve", "applied", "preparing", "operator:operator"),
        ("shipped", "preparing", "active", "operator:operator"),
    ]


@pytest.mark.rule("BIL-7")
def test_who_waits_for_an_operator_sees_how_many_wait_ahead(stack: Stack, rental: Rental) -> None:
    """Somebody signed in applies twice more."""
    own = stack.preparing_contract()
    first, second = (own.other(stack.apply(own.customer.token)) for _ in range(2))
    queues = [
        waiting.procedure(waiting.items("/procedures")[0]["procedure_id"])["queue"]
        for waiting in (first, second)
    ]
    assert queues[1]["ahead"] - queues[0]["ahead"] == 1
    assert all(queue["about_minutes"] == 15 * (queue["ahead"] + 1) for queue in queues)
    stack.do("confirm_application", first.contract_id, "approve")
    after = second.procedure(second.items("/procedures")[0]["procedure_id"])["queue"]
    assert after["ahead"] == queues[1]["ahead"] - 1


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("COL-1")
@pytest.mark.parametrize(
    ("kind", "closes", "state"),
    [("cancellation", "2026-07-01 00:00:00", "closed"), ("conversion", "2026-06-25 00:00:00", "lapsed")],
)
def test_what_a_deadline_has_closed_is_shown_closed_before_anybody_has_written_that_down(
    kind: str, closes: str, state: str
) -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", kind, {})
    row = life.contract.procedures[0].model_dump() | {"contract_id": "k-1", "closed": False, "effects": []}
    before = at(closes) - timedelta(seconds=1)
    assert shapes.procedure(row, life.contract, before, "en")["state"] == row["state"]  # type: ignore[arg-type]
    shown = shapes.procedure(row, life.contract, at(closes), "en")  # type: ignore[arg-type]
    assert (shown["state"], shown["waiting_on"], shown["due_at"]) == (state, "nobody", None)
    assert shapes.contract(life.contract, at(closes))["pending"] == []


@pytest.mark.rule("LIN-4", "COL-7")
def test_a_line_that_is_over_by_its_dates_is_shown_without_the_names_of_its_ids(tmp_path: Path) -> None:
    life, url = line_in_force(), f"sqlite:///{tmp_path}/keiyaku.db"
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    upgrade(url)
    with connect(url).begin() as connection:
        contract = {"account_id": "a-1", "party_id": "y-1", **facts(life.contract)}
        insert(connection, ContractRow, [contract])
        passport = {"passport_id": "i-1", "contract_id": "k-1", "name": "hanako-1", "password_hash": "h"}
        insert(connection, PassportIdRow, [passport | {"created_at": at("2026-06-01 12:00:00")}])
        named = [_facts(connection, "k-1", at(now))[2] for now in ("2026-06-30 23:59:59", "2026-07-01")]
    assert named == [{"i-1": {"name": "hanako-1"}}, {}]


def test_the_diagram_marks_the_present_state(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=2)
    procedure_id = rental.agree("cancellation")["procedure_id"]
    pictures = []
    for _ in range(2):
        answer = rental.customer.get(f"/v1/procedures/{procedure_id}/diagram.svg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert ElementTree.fromstring(answer.text).tag.endswith("svg")
        pictures.append(answer.text)
        stack.at(day=1)
    assert pictures[0] != pictures[1]


def test_tasks_wait_in_the_order_in_which_they_came_up(stack: Stack) -> None:
    first, second = stack.apply(), stack.apply()
    listed = pages(lambda **query: stack.operate("GET", "/tasks", params=query))
    order = [task["contract_id"] for task in listed]
    assert order.index(first) < order.index(second)
    assert [task["since"] for task in listed] == sorted(task["since"] for task in listed)
    kinds = stack.operate("GET", "/tasks", params={"kind": "report_shipped"}).json()["items"]
    assert {task["kind"] for task in kinds} <= {"report_shipped"}
    assert stack.operate("GET", "/tasks", params={"kind": "ship"}).status_code == 422


def test_a_filter_that_is_left_empty_filters_nothing(stack: Stack) -> None:
    contract_id = stack.apply()
    (task,) = stack.operate("GET", f"/tasks?kind=&contract_id={contract_id}").json()["items"]
    assert task["contract_id"] == contract_id
    assert stack.operate("GET", "/tasks?kind=confirm_application&contract_id=").json()["items"]
    stack.approve(contract_id)
    stack.mailed("login", contract_id)
    assert stack.call("GET", f"/dev/v1/outbox?to=&kind=&contract_id={contract_id}").json()["items"]


def test_a_task_is_dealt_with_once(stack: Stack) -> None:
    task = stack.task("confirm_application", stack.apply())
    path, body = f"/tasks/{task['task_id']}", {"action": "approve"}
    assert stack.operate("POST", path, json=body).json()["state"] == "preparing"
    again = stack.operate("POST", path, json={"action": "turn_down"})
    assert (again.status_code, again.json()["done_by"]) == (409, "operator:operator")


def test_who_deals_with_tasks_while_reading_the_list_misses_none(stack: Stack) -> None:
    mine = {stack.apply() for _ in range(6)}
    seen, cursor = set[str](), ""
    while True:
        query = {"limit": 2, "kind": "confirm_application"} | ({"cursor": cursor} if cursor else {})
        page = stack.operate("GET", "/tasks", params=query).json()
        for task in page["items"]:
            seen.add(task["contract_id"])
            if task["contract_id"] in mine:
                stack.operate("POST", f"/tasks/{task['task_id']}", json={"action": "turn_down"})
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert mine <= seen


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_pages_put_together_are_the_whole_list(stack: Stack, limit: int) -> None:
    rental = stack.active_contract()
    stack.apply(rental.customer.token)
    for path in ("/v1/contracts", f"{rental.path}/timeline", "/v1/manuals"):
        whole = rental.customer.get(path).json()
        assert whole["next_cursor"] is None
        assert (
            pages(lambda path=path, **query: rental.customer.get(path, params=query), limit) == whole["items"]
        )


def test_operators_page_through_all_contracts(stack: Stack) -> None:
    for _ in range(3):
        stack.apply()
    listed = pages(lambda **query: stack.operate("GET", "/contracts", params=query), 2)
    names = [contract["contract_id"] for contract in listed]
    assert len(names) == len(set(names)) >= 3
    assert [c["applied_at"] for c in listed] == sorted((c["applied_at"] for c in listed), reverse=True)


def pages(ask: Any, limit: int = 50) -> list[dict[str, Any]]:
    """Every item of a list, a page after the other."""
    items, query = [], {"limit": limit}
    while True:
        answer: httpx.Response = ask(**query)
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query = {"limit": limit, "cursor": page["next_cursor"]}

"""Joining the members' club over HTTP: the link, easy entry, and what nobody gets to know."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.club import PASSWORD, ask_to_join, link_of, links, member, open_link
from tests.line import active_line
from tests.stack import Stack, new_key


def entry(**changes: Any) -> dict[str, Any]:
    return {"email": "easy@example.jp", "name": "山田 花子", "phone": "0312345678"} | changes


def own_phone() -> str:
    return f"080{int(new_key()[:8], 16) % 10**8:08}"


@pytest.mark.rule("PNT-1")
@pytest.mark.rule("IDN-3")
def test_a_customer_joins_by_the_link_and_has_a_login_from_then_on(stack: Stack) -> None:
    line = active_line(stack)
    asked = ask_to_join(line, "club@example.jp")
    assert asked.status_code == 202, asked.text
    shown = asked.json()
    assert (shown["kind"], shown["state"], shown["waiting_on"]) == ("membership", "link_sent", "customer")
    path = link_of(stack, line.contract_id)
    mail = stack.mailed("membership_link", line.contract_id)
    assert mail["to"] == "club@example.jp"
    assert line.read()["member_since"] is None
    answer = open_link(stack, path)
    assert answer.status_code == 200, answer.text
    login_id = answer.json()["login_id"]
    assert line.read()["member_since"] == answer.json()["member_since"]
    session = stack.sign_in(login_id, PASSWORD)
    assert [one["contract_id"] for one in session.json()["contracts"]] == [line.contract_id]
    told = stack.mailed("login", line.contract_id)
    assert told["fields"]["login_id"] == login_id
    assert PASSWORD not in told["text"]
    assert [one["what"] for one in line.items("/timeline")][-1] == "membership_joined"


@pytest.mark.rule("PNT-1")
def test_a_link_is_good_once(stack: Stack) -> None:
    line = active_line(stack)
    ask_to_join(line)
    path, key = link_of(stack, line.contract_id), new_key()
    first = open_link(stack, path, headers={"Idempotency-Key": key})
    again = open_link(stack, path, headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    second = open_link(stack, path, "another-password")
    assert line.refused(second, "PNT-1")
    assert stack.sign_in(first.json()["login_id"], "another-password").status_code == 401


@pytest.mark.rule("PNT-1")
def test_a_link_is_good_for_seven_days(stack: Stack) -> None:
    line = active_line(stack)
    asked = ask_to_join(line).json()
    path = link_of(stack, line.contract_id)
    stack.move(datetime.fromisoformat(asked["due_at"]) + timedelta(seconds=1))
    assert line.refused(open_link(stack, path), "PNT-1")
    states = {one["kind"]: one["state"] for one in line.items("/procedures")}
    assert states["membership"] == "lapsed"
    assert line.read()["member_since"] is None
    assert ask_to_join(line).status_code == 202


@pytest.mark.rule("PNT-1")
def test_a_newer_link_replaces_the_earlier_one(stack: Stack) -> None:
    line = active_line(stack)
    ask_to_join(line, "wrong@example.jp")
    first = link_of(stack, line.contract_id)
    ask_to_join(line, "right@example.jp")
    second = link_of(stack, line.contract_id, 2)
    assert line.refused(open_link(stack, first), "PNT-1")
    assert open_link(stack, second).status_code == 200
    assert line.refused(ask_to_join(line), "PNT-1")


def test_an_unknown_link_is_not_there_and_a_bad_password_is_named(stack: Stack) -> None:
    assert open_link(stack, "/v1/memberships/nosuchtoken").status_code == 404
    line = active_line(stack)
    ask_to_join(line)
    path = link_of(stack, line.contract_id)
    for password in ("short", " sakura-2026", 12345678, None):
        answer = stack.call("POST", path, json={"password": password})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")
    assert open_link(stack, path).status_code == 200


@pytest.mark.rule("PNT-1")
def test_easy_entry_is_checked_by_an_operator_and_then_the_link_goes_out(stack: Stack) -> None:
    phone = own_phone()
    line = active_line(stack, applicant={"phone": phone})
    now = stack.now()
    answer = stack.call("POST", "/v1/memberships", json=entry(phone=phone, name="山田花子"))
    assert answer.status_code == 202, answer.text
    task = stack.task("check_membership", line.contract_id)
    assert task["actions"] == ["approve", "turn_down"]
    due = datetime.fromisoformat(task["due_at"])
    assert timedelta(0) <= due - now - timedelta(days=2) < timedelta(minutes=5)
    looked = stack.operate("GET", f"/contracts/{line.contract_id}").json()
    assert looked["membership_asked_with"] == "easy@example.jp"
    assert links(stack, line.contract_id) == []
    stack.do("check_membership", line.contract_id, "approve")
    assert open_link(stack, link_of(stack, line.contract_id)).status_code == 200
    assert stack.mailed("membership_link", line.contract_id)["to"] == "easy@example.jp"
    assert line.read()["member_since"] is not None


@pytest.mark.rule("PNT-1")
def test_easy_entry_turned_down_sends_nothing(stack: Stack) -> None:
    phone = own_phone()
    line = active_line(stack, applicant={"phone": phone})
    stack.call("POST", "/v1/memberships", json=entry(phone=phone))
    stack.do("check_membership", line.contract_id, "turn_down")
    assert links(stack, line.contract_id) == []
    assert stack.operate("GET", f"/contracts/{line.contract_id}").json()["membership_asked_with"] is None


@pytest.mark.rule("PNT-1")
def test_the_answer_to_an_easy_entry_does_not_tell_whether_there_is_such_a_line(stack: Stack) -> None:
    phone = own_phone()
    line = active_line(stack, applicant={"phone": phone})
    asked = [
        entry(phone=phone),
        entry(phone=phone),
        entry(phone=own_phone()),
        entry(phone=phone, name="誰か"),
    ]
    answers = [stack.call("POST", "/v1/memberships", json=one) for one in asked]
    assert {(answer.status_code, *sorted(answer.json())) for answer in answers} == {(202, "due_at", "state")}
    assert min(answer.elapsed for answer in answers) > timedelta(seconds=0.45)
    assert [task["kind"] for task in stack.tasks(line.contract_id)] == ["check_membership"]


@pytest.mark.rule("PNT-1")
def test_the_easy_entry_of_a_member_leads_to_nothing(stack: Stack) -> None:
    phone = own_phone()
    line = member(stack, applicant={"phone": phone})
    assert stack.call("POST", "/v1/memberships", json=entry(phone=phone)).status_code == 202
    assert stack.tasks(line.contract_id) == []


@pytest.mark.rule("CAL-4")
def test_on_a_line_that_is_ending_nobody_joins(stack: Stack) -> None:
    phone = own_phone()
    line, other = active_line(stack), active_line(stack, applicant={"phone": phone})
    ask_to_join(line)
    path = link_of(stack, line.contract_id)
    line.agree("cancellation")
    assert line.refused(ask_to_join(line), "CAL-4")
    assert line.refused(open_link(stack, path), "CAL-4")
    stack.call("POST", "/v1/memberships", json=entry(phone=phone))
    task = stack.task("check_membership", other.contract_id)
    other.agree("cancellation")
    assert line.refused(
        stack.operate("POST", f"/tasks/{task['task_id']}", json={"action": "approve"}), "CAL-4"
    )
    stack.do("check_membership", other.contract_id, "turn_down")
    stack.at(day=1, time="00:00:10")
    while line.state != "ended":
        stack.at(day=1, time="00:00:10")
    assert line.refused(ask_to_join(line), "CAL-4")
    assert open_link(stack, path).status_code == 409


def test_a_rental_has_no_club(stack: Stack, rental: Any) -> None:
    answer = rental.customer.post(f"{rental.path}/membership", {"email": "a@example.jp"})
    assert answer.status_code == 404

"""A restriction is made online at once, and lifted by no other way than a written form (MAT-9, MAT-10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.line import PASSWORD, Line, active_line, new_name
from tests.stack import Stack


def with_restricted(stack: Stack) -> tuple[Line, dict[str, Any]]:
    """A line with one ID, which is restricted."""
    line = active_line(stack)
    made = line.passport_id()
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    return line, made


def asked_for_form(stack: Stack) -> tuple[Line, dict[str, Any], str]:
    """The form of a restricted ID was asked for; the procedure's ID."""
    line, made = with_restricted(stack)
    answer = line.ask("unrestriction", passport_id=made["passport_id"])
    assert answer.status_code == 202, answer.text
    return line, made, answer.json()["procedure_id"]


@pytest.mark.rule("MAT-9")
def test_a_restriction_holds_at_once_and_is_free(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    line.item(made, 300, provider="Ongaku", item="Songs")
    (effect,) = line.preview("restriction", passport_id=made["passport_id"]).json()["effects"]
    assert (effect["what"], effect["item"], effect["provider"]) == ("monthly_item_ended", "Songs", "Ongaku")
    assert effect["amount"] is None
    assert not line.restricted(made["passport_id"])
    answer = line.ask("restriction", passport_id=made["passport_id"])
    assert (answer.status_code, answer.json()["state"]) == (202, "restricted")
    assert (answer.json()["waiting_on"], answer.json()["due_at"]) == ("nobody", None)
    assert line.restricted(made["passport_id"])
    assert not line.restricted(other["passport_id"])
    assert line.refused(line.buy(made, 100), "MAT-9")
    assert line.buy(other, 100).status_code == 201
    assert line.read()["pending"] == []


@pytest.mark.rule("MAT-9", "MAT-4")
def test_a_monthly_item_of_a_restricted_id_counts_this_month_and_no_other(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    line.item(made, 6000)
    stack.at(day=range(4, 20))
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    assert line.refused(line.buy(other, 4001), "MAT-4")
    stack.at(day=1, time="00:00:00")
    assert line.buy(other, 10000).status_code == 201


@pytest.mark.rule("MAT-9")
def test_what_is_restricted_is_not_restricted_again(stack: Stack) -> None:
    line, made = with_restricted(stack)
    for answer in (
        line.preview("restriction", passport_id=made["passport_id"]),
        line.ask("restriction", passport_id=made["passport_id"]),
    ):
        assert line.refused(answer, "MAT-9")


@pytest.mark.rule("MAT-10")
def test_nothing_of_a_restricted_id_is_changed_online(stack: Stack) -> None:
    line, made = with_restricted(stack)
    changes: list[dict[str, Any]] = [
        {"name": new_name()},
        {"password": "momiji77"},
        {"monthly_cap": 100},
        {"line_authentication": False},
    ]
    answers = [line.change(made["passport_id"], **change) for change in changes]
    answers += [line.delete(made["passport_id"])]
    assert [line.refused(answer, "MAT-10") for answer in answers] == [True] * 5
    other = active_line(stack)
    for one in (line, other):
        assert one.refused(one.add(made["name"]), "MAT-2")
    assert line.items("/passport-ids") == [made | {"restricted": True}]


@pytest.mark.rule("MAT-10")
def test_nobody_lifts_a_restriction_online(stack: Stack) -> None:
    line, made = with_restricted(stack)
    body = {"passport_id": made["passport_id"]}
    for kind in ("lift", "unrestriction/lift", "unrestriction/approve"):
        assert line.customer.post(f"{line.path}/procedures/{kind}", body).status_code in (404, 405)
    assert line.change(made["passport_id"], restricted=False).status_code == 422
    assert stack.operate(
        "POST", f"/contracts/{line.contract_id}/procedures/unrestriction", json=body
    ).status_code in (404, 405)
    for token, status in ((stack.operator_token, 403), (stack.provider_token, 403), (None, 401)):
        asked = stack.call("POST", f"{line.path}/procedures/unrestriction", token, json=body)
        assert asked.status_code == status
    assert stack.tasks(line.contract_id) == []
    assert line.restricted(made["passport_id"])


@pytest.mark.rule("MAT-10")
def test_a_form_sent_back_and_approved_lifts_it(stack: Stack) -> None:
    line, made, asked = asked_for_form(stack)
    first = line.procedure(asked)
    assert (first["state"], first["waiting_on"], first["due_at"]) == ("form_requested", "operator", None)
    assert [task["kind"] for task in stack.tasks(line.contract_id)] == ["send_form"]
    stack.do("send_form", line.contract_id)
    sent = line.procedure(asked)
    assert (sent["state"], sent["waiting_on"], sent["queue"]) == ("form_sent", "customer", None)
    letter = stack.mailed("written_form", line.contract_id)
    assert letter["channel"] == "post"
    stack.pass_days(3)
    stack.do("receive_form", line.contract_id)
    received = line.procedure(asked)
    assert (received["state"], received["waiting_on"], received["due_at"]) == (
        "form_received",
        "operator",
        None,
    )
    assert line.refused(line.buy(made, 100), "MAT-9")
    done = stack.do("review_form", line.contract_id, "approve")
    assert done["procedure"]["state"] == "lifted"
    assert not line.restricted(made["passport_id"])
    assert line.buy(made, 100).status_code == 201
    assert stack.tasks(line.contract_id) == []
    assert line.delete(made["passport_id"]).status_code == 200
    moves = [move["to"] for move in line.procedure(asked)["history"]]
    assert moves == ["form_requested", "form_sent", "form_received", "lifted"]


@pytest.mark.rule("MAT-9", "MAT-10")
def test_what_is_lifted_may_be_restricted_anew_and_ended_items_stay_ended(stack: Stack) -> None:
    line, made = active_line(stack), None
    made = line.passport_id()
    line.item(made, 6000)
    line.ask("restriction", passport_id=made["passport_id"])
    line.ask("unrestriction", passport_id=made["passport_id"])
    for task in ("send_form", "receive_form"):
        stack.do(task, line.contract_id)
    stack.do("review_form", line.contract_id, "approve")
    stack.at(day=1, time="00:00:00")
    assert line.buy(made, 10000).status_code == 201
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    assert line.restricted(made["passport_id"])


@pytest.mark.rule("MAT-10")
def test_a_form_that_is_turned_down_leaves_it_and_says_why(stack: Stack) -> None:
    line, made, asked = asked_for_form(stack)
    stack.do("send_form", line.contract_id)
    stack.do("receive_form", line.contract_id)
    stack.do("review_form", line.contract_id, "turn_down", note="印鑑がありません")
    assert line.procedure(asked)["state"] == "turned_down"
    assert "印鑑がありません" in stack.mailed("form_turned_down", line.contract_id)["text"]
    assert line.restricted(made["passport_id"])
    assert line.ask("unrestriction", passport_id=made["passport_id"]).status_code == 202


@pytest.mark.rule("MAT-10")
def test_turning_a_form_down_takes_a_reason(stack: Stack) -> None:
    line, _, asked = asked_for_form(stack)
    stack.do("send_form", line.contract_id)
    stack.do("receive_form", line.contract_id)
    task = stack.task("review_form", line.contract_id)
    answer = stack.operate("POST", f"/tasks/{task['task_id']}", json={"action": "turn_down"})
    assert answer.status_code == 422
    assert line.procedure(asked)["state"] == "form_received"


@pytest.mark.rule("MAT-10")
def test_a_form_not_back_in_sixty_days_lapses(stack: Stack) -> None:
    line, made, asked = asked_for_form(stack)
    stack.pass_days(70)
    # Nothing lapses before it was sent.
    assert line.procedure(asked)["state"] == "form_requested"
    stack.do("send_form", line.contract_id)
    due_at = line.procedure(asked)["due_at"]
    lapses = datetime.fromisoformat(due_at)
    assert (lapses.date() - stack.now().date()).days == 61
    assert (lapses.hour, lapses.minute) == (0, 0)
    assert stack.task("receive_form", line.contract_id)["due_at"] == due_at
    stack.move(lapses - timedelta(minutes=5))
    assert line.procedure(asked)["state"] == "form_sent"
    stack.move(lapses)
    lapsed = line.procedure(asked)
    assert (lapsed["state"], lapsed["waiting_on"], lapsed["due_at"]) == ("lapsed", "nobody", None)
    assert stack.tasks(line.contract_id) == []
    assert line.restricted(made["passport_id"])
    assert line.ask("unrestriction", passport_id=made["passport_id"]).status_code == 202


@pytest.mark.rule("MAT-10")
def test_a_form_on_the_sixtieth_day_is_in_time_and_no_longer_lapses(stack: Stack) -> None:
    line, made, asked = asked_for_form(stack)
    stack.do("send_form", line.contract_id)
    lapses = datetime.fromisoformat(line.procedure(asked)["due_at"])
    stack.move(lapses - timedelta(minutes=10))
    stack.do("receive_form", line.contract_id)
    stack.move(lapses + timedelta(days=3))
    assert line.procedure(asked)["state"] == "form_received"
    stack.do("review_form", line.contract_id, "approve")
    assert not line.restricted(made["passport_id"])


@pytest.mark.rule("MAT-10")
def test_a_form_is_for_what_is_restricted_and_one_at_a_time(stack: Stack) -> None:
    line, made, _ = asked_for_form(stack)
    assert line.refused(line.ask("unrestriction", passport_id=made["passport_id"]), "MAT-10")
    other = line.passport_id()["passport_id"]
    assert line.refused(line.ask("unrestriction", passport_id=other), "MAT-10")
    assert line.ask("restriction", passport_id=other).status_code == 202
    assert line.ask("unrestriction", passport_id=other).status_code == 202


def test_the_queue_says_how_many_wait_ahead(stack: Stack) -> None:
    line, _, asked = asked_for_form(stack)
    other, _, later = asked_for_form(stack)
    first, second = line.procedure(asked)["queue"], other.procedure(later)["queue"]
    assert second["ahead"] >= first["ahead"] + 1
    assert second["about_minutes"] - first["about_minutes"] == 15 * (second["ahead"] - first["ahead"])
    stack.do("send_form", line.contract_id)
    assert line.procedure(asked)["queue"] is None
    assert other.procedure(later)["queue"]["ahead"] == second["ahead"] - 1


@pytest.mark.rule("MAT-10")
def test_the_preview_of_a_form_says_when_it_lapses(stack: Stack) -> None:
    line, made = with_restricted(stack)
    answer = line.customer.post(
        f"{line.path}/procedures/unrestriction/preview",
        {"passport_id": made["passport_id"]},
        headers={"Accept-Language": "en"},
    )
    (effect,) = answer.json()["effects"]
    assert (effect["what"], effect["at"], effect["amount"]) == ("form_lapses", None, None)
    assert "60 days" in effect["text"]


@pytest.mark.rule("MAT-9", "MAT-10", "CAL-4")
def test_on_a_line_that_is_ending_an_id_is_restricted_but_no_form_begins(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    line.agree("cancellation")
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    assert line.refused(line.ask("unrestriction", passport_id=made["passport_id"]), "CAL-4")


def test_a_body_without_an_id_is_malformed(stack: Stack) -> None:
    line = active_line(stack)
    for kind in ("restriction", "unrestriction"):
        for body in ({}, {"passport_id": 1}, {"passport_id": "i-x", "password": PASSWORD}):
            assert line.ask(kind, **body).status_code == 422

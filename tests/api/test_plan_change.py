"""Plan change: the old contract to the end of the month, the successor from the 1st, the old device sent back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.stack import Rental, Stack, last_day

OTHER = {"plan": "wifi-50", "course": "standard"}


def changed(stack: Stack) -> tuple[Rental, dict[str, Any]]:
    """A contract whose plan change was accepted, and the procedure."""
    rental = stack.active_contract()
    stack.at(day=range(2, 12))
    return rental, rental.agree("plan_change", **OTHER)


@pytest.mark.rule("RNT-3", "RNT-5")
def test_the_preview_says_all_that_follows_by_date(stack: Stack) -> None:
    rental = stack.active_contract(course="depocomi", support_option="support")
    today = stack.at(day=15, time="23:00:00").date()
    effects = rental.preview("plan_change", **OTHER).json()["effects"]
    first = last_day(today) + timedelta(days=1)
    begins = f"{first}T00:00:00+09:00"
    overdue = f"{first + timedelta(days=10)}T00:00:00+09:00"
    assert {(effect["what"], effect["at"], effect["amount"]) for effect in effects} == {
        ("contract_ends", begins, None),
        ("deposit_forfeited", begins, 20000),
        ("option_ends", begins, None),
        ("contract_begins", begins, None),
        ("fee", begins, 1500),
        ("device_return_due", overdue, None),
    }
    assert [effect["at"] for effect in effects] == sorted(effect["at"] for effect in effects)
    assert all(effect["text"] for effect in effects)
    assert next(effect for effect in effects if effect["what"] == "fee")["item"] == "plan_change"


@pytest.mark.rule("RNT-3", "RNT-18")
def test_it_is_one_act_an_end_and_a_beginning(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    today = stack.at(day=range(2, 12)).date()
    answer = rental.agree("plan_change", **OTHER)
    first = last_day(today) + timedelta(days=1)
    assert (answer["kind"], answer["state"], answer["waiting_on"]) == ("plan_change", "accepted", "calendar")
    assert answer["due_at"] == f"{first}T00:00:00+09:00"
    old, successor = rental.read(), rental.other(answer["successor_contract_id"])
    assert (old["state"], old["in_force_to"]) == ("ending", last_day(today).isoformat())
    assert old["successor_contract_id"] == successor.contract_id
    new = successor.read()
    assert (new["state"], new["plan"], new["in_force_from"]) == ("preparing", "wifi-50", first.isoformat())
    assert new["predecessor_contract_id"] == rental.contract_id
    assert successor.read("/support-option")["option"] is None
    stack.at(day=1, time="00:00:00")
    assert (rental.state, successor.state) == ("ended", "active")
    assert rental.procedure(answer["procedure_id"])["state"] == "awaiting_device"
    # In force from the 1st, whether or not its device was reported to be on its way.
    stack.ship(successor.contract_id)
    assert successor.read()["in_force_from"] == first.isoformat()


@pytest.mark.rule("RNT-3")
def test_a_device_shipped_before_the_1st_begins_nothing_early_and_then_only_the_calendar_is_waited_for(
    stack: Stack,
) -> None:
    rental, answer = changed(stack)
    successor = rental.other(answer["successor_contract_id"])
    (application,) = successor.read()["pending"]
    asked = successor.procedure(application["procedure_id"])
    assert asked["waiting_on"] == "operator" and asked["queue"]
    stack.ship(successor.contract_id)
    assert successor.state == "preparing"
    shipped = successor.procedure(application["procedure_id"])
    assert (shipped["waiting_on"], shipped["queue"]) == ("calendar", None)


@pytest.mark.rule("RNT-3")
def test_from_the_16th_on_it_opens_on_the_1st(stack: Stack) -> None:
    rental = stack.active_contract()
    today = stack.at(day=16, time="00:00:00").date()
    opens_at = f"{last_day(today) + timedelta(days=1)}T00:00:00+09:00"
    for answer in (rental.preview("plan_change", **OTHER), rental.ask("plan_change", **OTHER)):
        refusal = answer.json()
        assert (answer.status_code, refusal["rule"], refusal["opens_at"]) == (409, "RNT-3", opens_at)
    stack.at(day=1, time="00:00:00")
    assert rental.preview("plan_change", **OTHER).status_code == 200


@pytest.mark.rule("RNT-6")
def test_a_second_one_is_refused(stack: Stack) -> None:
    rental, _ = changed(stack)
    for answer in (rental.preview("plan_change", **OTHER), rental.ask("plan_change", **OTHER)):
        assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-6")


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(("kind", "body"), [("cancellation", {}), ("support_option", {"option": "support"})])
def test_nothing_new_begins_on_a_contract_that_is_ending(
    stack: Stack, kind: str, body: dict[str, Any]
) -> None:
    rental, _ = changed(stack)
    answer = rental.ask(kind, **body)
    assert (answer.status_code, answer.json()["rule"]) == (409, "CAL-4")


@pytest.mark.rule("CAL-4")
def test_a_contract_that_is_not_yet_in_force_is_not_changed(stack: Stack) -> None:
    rental = stack.preparing_contract()
    stack.at(day=range(2, 12))
    answer = rental.ask("plan_change", **OTHER)
    assert (answer.status_code, answer.json()["rule"]) == (409, "CAL-4")


@pytest.mark.rule("RNT-18")
def test_a_change_to_what_is_held_is_refused(stack: Stack) -> None:
    rental = stack.active_contract(plan="wifi-50", course="standard")
    stack.at(day=range(2, 12))
    answer = rental.ask("plan_change", **OTHER)
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-18")


@pytest.mark.rule("RNT-4", "RNT-10")
def test_a_device_sent_back_in_time_closes_the_case(stack: Stack) -> None:
    rental, answer = changed(stack)
    stack.at(day=1)
    stack.at(day=10)
    assert rental.procedure(answer["procedure_id"])["waiting_on"] == "customer"
    stack.do("receive_device", rental.contract_id)
    closed = rental.procedure(answer["procedure_id"])
    assert (closed["state"], closed["waiting_on"], closed["due_at"]) == ("closed", "nobody", None)
    stack.at(day=28)
    assert stack.outbox(kind="return_reminder", contract_id=rental.contract_id) == []
    assert moves(closed) == ["accepted", "awaiting_device", "closed"]


@pytest.mark.rule("RNT-10")
def test_a_device_that_comes_after_the_reminder_is_not_charged(stack: Stack) -> None:
    rental, answer = changed(stack)
    stack.at(day=1)
    stack.at(day=11, time="00:00:00")
    assert rental.procedure(answer["procedure_id"])["state"] == "device_overdue"
    assert len(stack.outbox(kind="return_reminder", contract_id=rental.contract_id)) == 1
    stack.do("receive_device", rental.contract_id)
    stack.at(day=28)
    assert stack.outbox(kind="device_charge", contract_id=rental.contract_id) == []
    assert moves(rental.procedure(answer["procedure_id"])) == [
        "accepted",
        "awaiting_device",
        "device_overdue",
        "closed",
    ]


@pytest.mark.rule("RNT-10")
def test_a_device_that_does_not_come_is_charged_and_one_that_comes_late_still_booked(stack: Stack) -> None:
    rental, answer = changed(stack)
    stack.at(day=1)
    stack.at(day=24, time="23:55:00")
    overdue = rental.procedure(answer["procedure_id"])
    assert (overdue["state"], overdue["due_at"][8:]) == ("device_overdue", "25T00:00:00+09:00")
    stack.at(day=25, time="00:00:00")
    charged = rental.procedure(answer["procedure_id"])
    assert (charged["state"], charged["waiting_on"]) == ("device_charged", "nobody")
    assert stack.mailed("device_charge", rental.contract_id)["fields"]["amount"] == "20000"
    stack.pass_days(100)
    done = stack.do("receive_device", rental.contract_id)
    assert done["procedure"]["state"] == "closed"
    assert stack.tasks(rental.contract_id) == []


def moves(procedure: dict[str, Any]) -> list[str]:
    return [move["to"] for move in procedure["history"]]

"""Support options: asked for once in a contract's life, in force from the next 1st."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.stack import Stack, last_day


def next_first(day: date, months: int = 1) -> date:
    for _ in range(months):
        day = last_day(day) + timedelta(days=1)
    return day


@pytest.mark.rule("RNT-11", "RNT-12", "RNT-13")
def test_a_premium_option_begins_on_the_1st_and_covers_two_months_later(stack: Stack) -> None:
    rental = stack.active_contract()
    nothing = dict.fromkeys(("option", "begins_on", "ends_on", "cover_from", "key_code", "next"))
    assert rental.read("/support-option") == nothing
    today = stack.at(day=15, time="23:55:00").date()
    answer = rental.ask("support_option", option="support_premium")
    assert answer.status_code == 202
    begins, covers = next_first(today), next_first(today, 3)
    assert [(effect["what"], effect["at"][:10]) for effect in answer.json()["effects"]] == [
        ("option_begins", begins.isoformat()),
        ("cover_begins", covers.isoformat()),
    ]
    assert answer.json()["state"] == "accepted"
    stack.at(day=1, time="00:00:00")
    held = rental.read("/support-option")
    assert (held["option"], held["begins_on"]) == ("support_premium", begins.isoformat())
    assert held["cover_from"] == covers.isoformat()
    assert len(held["key_code"]) == 23
    procedure = rental.procedure(answer.json()["procedure_id"])
    assert (procedure["waiting_on"], procedure["due_at"]) == ("nobody", None)


@pytest.mark.rule("RNT-13")
@pytest.mark.parametrize(
    ("option", "has_code"),
    [("support", False), ("support_premium", True), ("support_sim", False), ("support_premium_sim", True)],
)
def test_premium_kinds_come_with_a_key_code(stack: Stack, option: str, has_code: bool) -> None:
    rental = stack.active_contract(support_option=option)
    held = rental.read("/support-option")
    assert held["option"] == option
    assert (held["key_code"] is not None) == has_code
    assert (held["cover_from"] is not None) == has_code


@pytest.mark.rule("RNT-11")
def test_a_removal_takes_effect_at_the_end_of_the_month(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    today = stack.at(day=8).date()
    assert rental.ask("support_option", option=None).status_code == 202
    assert rental.read("/support-option")["ends_on"] == last_day(today).isoformat()
    stack.at(day=1, time="00:00:00")
    assert rental.read("/support-option")["option"] is None


@pytest.mark.rule("RNT-11")
def test_a_change_shows_the_option_held_and_the_one_to_come(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    today = stack.at(day=1, time="00:00:00").date()
    assert rental.ask("support_option", option="support_premium_sim").status_code == 202
    held = rental.read("/support-option")
    assert (held["option"], held["ends_on"]) == ("support", last_day(today).isoformat())
    assert held["next"]["option"] == "support_premium_sim"
    stack.at(day=1, time="00:00:00")
    assert rental.read("/support-option")["option"] == "support_premium_sim"


@pytest.mark.rule("RNT-11")
def test_it_is_taken_once_in_a_contracts_life(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    stack.at(day=1)
    assert rental.ask("support_option", option="support_sim").status_code == 202
    for _ in range(2):
        stack.at(day=10)
        answer = rental.ask("support_option", option=None)
        assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-11")
        assert "opens_at" not in answer.json()


@pytest.mark.rule("RNT-11")
def test_from_the_16th_on_it_opens_on_the_1st(stack: Stack) -> None:
    rental = stack.active_contract()
    today = stack.at(day=16, time="00:00:00").date()
    answer = rental.ask("support_option", option="support")
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-11")
    assert answer.json()["opens_at"] == f"{next_first(today)}T00:00:00+09:00"


@pytest.mark.rule("RNT-18")
def test_a_successor_begins_without_option_and_with_its_one_change_still_to_come(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    stack.at(day=1)
    assert rental.ask("support_option", option="support_sim").status_code == 202
    stack.at(day=2)
    procedure = rental.agree("plan_change", plan="wifi-unlimited", course="standard")
    successor = rental.other(procedure["successor_contract_id"])
    stack.at(day=1)
    assert successor.ask("support_option", option="support").status_code == 202

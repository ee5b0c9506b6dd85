"""Preview and consent: what takes something away for good is shown first, and needs a yes to just that."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.line import active_line
from tests.stack import CARD, Stack

OTHER = {"plan": "wifi-50", "course": "standard"}


def test_a_preview_changes_nothing(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=5)
    before, told = rental.read(), rental.read("/timeline")
    first = rental.preview("plan_change", **OTHER).json()
    assert rental.preview("plan_change", **OTHER).json() == first
    assert (rental.read(), rental.read("/timeline")) == (before, told)


@pytest.mark.parametrize(("kind", "body"), [("plan_change", OTHER), ("cancellation", {})])
def test_without_consent_nothing_is_taken_away(stack: Stack, kind: str, body: dict[str, str]) -> None:
    rental = stack.active_contract()
    stack.at(day=5)
    for missing in ({}, {"consent": None}):
        assert rental.ask(kind, **body, **missing).status_code == 428
    wrong = rental.ask(kind, **body, consent="yes")
    preview = rental.preview(kind, **body).json()
    assert (wrong.status_code, wrong.json()["preview"]) == (412, preview)
    assert rental.state == "active"
    assert rental.ask(kind, **body, consent=wrong.json()["preview"]["consent"]).status_code == 202


def test_a_consent_stands_for_one_contract_one_kind_and_one_body(stack: Stack) -> None:
    rental, another = stack.active_contract(), stack.active_contract()
    stack.at(day=5)
    given = another.preview("plan_change", **OTHER).json()["consent"]
    assert rental.ask("plan_change", **OTHER, consent=given).status_code == 412
    given = rental.preview("plan_change", **OTHER).json()["consent"]
    assert (
        rental.ask("plan_change", plan="wifi-unlimited", course="standard", consent=given).status_code == 412
    )
    assert rental.ask("cancellation", consent=given).status_code == 412


def test_a_consent_holds_as_long_as_its_effects_are_the_same(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=2)
    given = rental.preview("cancellation").json()["consent"]
    stack.at(day=14)
    assert rental.preview("cancellation").json()["consent"] == given
    stack.at(day=16)
    outdated = rental.ask("cancellation", consent=given)
    assert outdated.status_code == 412
    assert rental.ask("cancellation", consent=outdated.json()["preview"]["consent"]).status_code == 202


def test_a_change_of_support_option_outdates_the_consent(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    stack.at(day=2)
    given = rental.preview("cancellation").json()["consent"]
    rental.ask("support_option", option="support_premium")
    # The option held at the contract's end is still the one shown.
    assert rental.ask("cancellation", consent=given).status_code == 202


def test_what_takes_nothing_away_needs_no_consent(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=5)
    assert "consent" in rental.preview("support_option", option="support").json()
    assert rental.ask("support_option", option="support").status_code == 202


@pytest.mark.parametrize(
    ("kind", "body"), [("support_option", {"option": "support"}), ("payment_method", {"payment": CARD})]
)
def test_a_consent_that_nobody_asked_for_holds_or_is_refused(
    stack: Stack, kind: str, body: dict[str, Any]
) -> None:
    rental = stack.active_contract()
    stack.at(day=5)
    wrong = rental.ask(kind, **body, consent="yes")
    preview = rental.preview(kind, **body).json()
    assert (wrong.status_code, wrong.json()["preview"]) == (412, preview)
    assert rental.items("/procedures")[1:] == []
    assert rental.ask(kind, **body, consent=preview["consent"]).status_code == 202


@pytest.mark.parametrize(
    ("kind", "shown", "sent"),
    [
        ("move", {"address": "大阪府大阪市北区梅田1-1"}, {"address": "大阪府大阪市北区梅田1-2"}),
        (
            "payment_method",
            {"payment": CARD},
            {"payment": {"method": "credit_card", "card_token": "tok_other"}},
        ),
    ],
)
def test_a_consent_stands_for_what_the_workflow_does_not_see_too(
    stack: Stack, kind: str, shown: dict[str, Any], sent: dict[str, Any]
) -> None:
    line = active_line(stack)
    stack.at(day=5)
    given = line.preview(kind, **shown).json()["consent"]
    assert line.ask(kind, **sent, consent=given).status_code == 412
    assert line.ask(kind, **shown, consent=given).status_code == 202


def test_what_happens_at_once_outdates_no_consent(stack: Stack) -> None:
    line = active_line(stack)
    passport = line.passport_id()
    line.item(passport, 300)
    asked = {"passport_id": passport["passport_id"]}
    given = line.preview("restriction", **asked).json()["consent"]
    time.sleep(0.01)
    assert line.ask("restriction", **asked, consent=given).status_code == 202
    address = {"address": "大阪府大阪市北区梅田1-1"}
    given = line.preview("move", **address).json()["consent"]
    assert line.ask("move", **address, consent=given).status_code == 202


def test_a_rule_is_told_before_a_consent_is_asked_for(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=20)
    for consent in ({}, {"consent": "yes"}):
        answer = rental.ask("plan_change", **OTHER, **consent)
        assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-3")

"""Applying for a rental, up to the day from which it is in force."""

from __future__ import annotations

import pytest

from tests.stack import Stack


def test_an_application_waits_for_its_confirmation(stack: Stack) -> None:
    contract_id = stack.apply()
    task = stack.task("confirm_application", contract_id)
    assert task["actions"] == ["approve", "turn_down"]
    assert stack.operate("GET", f"/contracts/{contract_id}").json()["state"] == "applied"


@pytest.mark.rule("IDN-3")
def test_an_individual_gets_a_login_by_mail_once_the_application_is_confirmed(stack: Stack) -> None:
    rental = stack.preparing_contract()
    assert rental.state == "preparing"


@pytest.mark.rule("RNT-1")
def test_a_contract_is_in_force_from_the_day_its_device_was_shipped(stack: Stack) -> None:
    rental = stack.preparing_contract()
    today = stack.at(day=20).date()
    stack.ship(rental.contract_id)
    found = rental.read()
    assert (found["state"], found["in_force_from"], found["in_force_to"]) == (
        "active",
        today.isoformat(),
        None,
    )

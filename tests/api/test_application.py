"""Applying for a rental, up to the day from which it is in force."""

from __future__ import annotations

import pytest

from tests.stack import APPLICANT, Stack, application, eventually


def test_an_application_waits_for_its_confirmation(stack: Stack) -> None:
    answer = stack.call("POST", "/v1/applications", json=application())
    assert answer.status_code == 202
    applied = answer.json()
    assert applied.keys() == {"contract_id", "procedure_id", "state"}
    assert applied["state"] == "applied"
    assert answer.headers["location"] == f"/v1/contracts/{applied['contract_id']}"
    task = stack.task("confirm_application", applied["contract_id"])
    assert task["procedure_id"] == applied["procedure_id"]
    assert task["actions"] == ["approve", "turn_down"]


@pytest.mark.rule("IDN-3")
@pytest.mark.parametrize("kind", ["individual", "corporate"])
def test_the_login_comes_by_mail_once_the_application_is_confirmed(stack: Stack, kind: str) -> None:
    contract_id = stack.apply(applicant={"kind": kind, "email": "kaori@example.jp"})
    assert stack.outbox(contract_id=contract_id) == []
    stack.approve(contract_id)
    mail = stack.mailed("login", contract_id)
    assert (mail["channel"], mail["to"]) == ("mail", "kaori@example.jp")
    session = stack.sign_in(mail["fields"]["login_id"], mail["fields"]["password"])
    assert session.status_code == 201
    assert session.json()["contracts"] == [
        {"contract_id": contract_id, "product": "rental", "state": "preparing"}
    ]


def test_notices_come_in_the_language_of_the_application(stack: Stack) -> None:
    english = stack.call("POST", "/v1/applications", json=application(), headers={"Accept-Language": "en"})
    japanese = stack.call("POST", "/v1/applications", json=application())
    subjects = []
    for answer in (english, japanese):
        contract_id = answer.json()["contract_id"]
        stack.approve(contract_id)
        subjects.append(stack.mailed("login", contract_id)["subject"])
    assert subjects[0].isascii()
    assert not subjects[1].isascii()


@pytest.mark.rule("RNT-1")
def test_a_contract_is_in_force_from_the_day_on_which_its_device_was_shipped(stack: Stack) -> None:
    rental = stack.preparing_contract(plan="wifi-50", course="omatome")
    assert rental.state == "preparing"
    today = stack.at(day=20).date()
    stack.ship(rental.contract_id)
    found = rental.read()
    assert (found["state"], found["plan"], found["course"]) == ("active", "wifi-50", "omatome")
    assert (found["in_force_from"], found["in_force_to"]) == (today.isoformat(), None)
    assert found["started_at"].startswith(today.isoformat())
    assert found["registered_data"]["name"] == APPLICANT["name"]
    assert (found["pending"], found["ended_at"], found["line_type"]) == ([], None, None)


def test_a_contract_that_is_turned_down_ends_there_and_brings_no_login(stack: Stack) -> None:
    contract_id = stack.apply()
    done = stack.do("confirm_application", contract_id, "turn_down", note="not a customer of ours")
    assert done["state"] == "turned_down"
    assert stack.tasks(contract_id) == []
    stack.pass_days(40)
    assert stack.outbox(contract_id=contract_id) == []
    assert stack.operate("GET", f"/contracts/{contract_id}").json()["state"] == "turned_down"


@pytest.mark.rule("RNT-11")
def test_a_support_option_applied_for_begins_with_the_contract(stack: Stack) -> None:
    rental = stack.preparing_contract(support_option="support_premium")
    today = stack.at(day=3).date()
    stack.ship(rental.contract_id)
    assert rental.read("/support-option")["option"] == "support_premium"
    assert rental.read("/support-option")["begins_on"] == today.isoformat()


@pytest.mark.rule("RNT-1")
def test_an_additional_application_with_a_session_belongs_to_the_same_customer(stack: Stack) -> None:
    first = stack.active_contract()
    second = first.other(stack.apply(first.customer.token, plan="wifi-50"))
    stack.approve(second.contract_id)
    stack.ship(second.contract_id)
    mine = {contract["contract_id"] for contract in first.customer.get("/v1/contracts").json()["items"]}
    assert mine == {first.contract_id, second.contract_id}
    assert second.state == "active"
    # One login is enough.
    assert stack.outbox(kind="login", contract_id=second.contract_id) == []


def test_an_application_without_a_session_is_a_customer_of_its_own(stack: Stack) -> None:
    first, second = stack.preparing_contract(), stack.preparing_contract()
    assert second.customer.get(first.path).status_code == 404


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["account_transfer", "invoice", "isp_collection"])
def test_a_rental_is_not_paid_the_way_a_line_is(stack: Stack, method: str) -> None:
    answer = stack.call("POST", "/v1/applications", json=application(payment={"method": method}))
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-15")


@pytest.mark.parametrize("method", ["atone", "np_invoice"])
def test_a_rental_may_be_paid_without_a_card(stack: Stack, method: str) -> None:
    assert stack.active_contract(payment={"method": method}).read()["payment_method"] == method


def paid_by(token: str) -> dict[str, str]:
    return {"method": "credit_card", "card_token": token}


def test_a_card_that_is_declined_blocks_the_contract_and_another_card_lifts_that(stack: Stack) -> None:
    rental = stack.active_contract(payment=paid_by("tok_declined"))
    eventually(lambda: rental.read()["blocks"] == ["card_declined"])
    stack.at(day=10)
    taken = rental.ask("payment_method", payment=paid_by("tok_ok"))
    assert taken.status_code == 202
    eventually(lambda: rental.read()["blocks"] == [])

"""A line from its application to the notice of opening, and who may sign in to it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.line import Line, active_line, application, applied, sign_in
from tests.stack import CARD, Stack, eventually

COMPANY = {"kind": "corporate", "name": "見本商事株式会社", "email": "soumu@mihon.example.jp"}


@pytest.mark.rule("LIN-1", "IDN-1")
def test_a_line_is_applied_for_confirmed_opened_and_in_force(stack: Stack) -> None:
    answer = stack.call("POST", "/v1/applications", json=application(line_type="cross"))
    assert (answer.status_code, answer.json()["state"]) == (202, "applied")
    contract_id = answer.json()["contract_id"]
    assert [task["kind"] for task in stack.tasks(contract_id)] == ["confirm_application"]
    stack.approve(contract_id)
    assert [task["kind"] for task in stack.tasks(contract_id)] == ["report_opening"]
    assert stack.outbox(kind="opening_notice", contract_id=contract_id) == []
    stack.do("report_opening", contract_id)
    notice = stack.mailed("opening_notice", contract_id)
    assert notice["channel"] == "post"
    assert re.fullmatch(r"CAF\d{10}", notice["fields"]["customer_id"])
    assert re.fullmatch(r"[A-Za-z0-9]{8}", notice["fields"]["access_key"])
    session = sign_in(stack, notice["fields"]["customer_id"], notice["fields"]["access_key"])
    assert session.status_code == 201
    assert session.json()["contracts"] == [{"contract_id": contract_id, "product": "line", "state": "active"}]
    line = stack.call("GET", f"/v1/contracts/{contract_id}", session.json()["token"]).json()
    assert (line["state"], line["line_type"], line["monthly_cap"]) == ("active", "cross", 10000)
    assert (line["plan"], line["course"], line["pending"]) == (None, None, [])
    assert line["in_force_from"] == stack.now().date().isoformat()


@pytest.mark.rule("IDN-3")
def test_a_company_is_mailed_its_login_once_its_first_line_is_open_and_no_other_time(stack: Stack) -> None:
    first = applied(stack, applicant=COMPANY)
    stack.approve(first)
    all_arrived(stack, first)
    assert stack.outbox(kind="login", contract_id=first) == [], "its application is not complete"
    stack.do("report_opening", first)
    mail = stack.mailed("login", first)
    assert (mail["channel"], mail["to"]) == ("mail", COMPANY["email"])
    session = stack.sign_in(mail["fields"]["login_id"], mail["fields"]["password"])
    assert session.status_code == 201
    assert [one["contract_id"] for one in session.json()["contracts"]] == [first]

    body = application(applicant=COMPANY)
    answer = stack.call("POST", "/v1/applications", session.json()["token"], json=body)
    second = answer.json()["contract_id"]
    stack.approve(second)
    stack.do("report_opening", second)
    stack.mailed("opening_notice", second)
    all_arrived(stack, second)
    assert stack.outbox(kind="login", contract_id=second) == [], "one login is enough"


@pytest.mark.rule("IDN-3")
def test_a_person_is_mailed_no_login_for_a_line_before_joining_the_club(stack: Stack) -> None:
    line = active_line(stack)
    all_arrived(stack, line.contract_id)
    assert stack.outbox(kind="login", contract_id=line.contract_id) == []


def all_arrived(stack: Stack, contract_id: str) -> None:
    eventually(lambda: not stack.operate("GET", f"/contracts/{contract_id}").json()["on_their_way"])


@pytest.mark.rule("LIN-1")
def test_an_application_that_is_turned_down_gets_no_notice(stack: Stack) -> None:
    contract_id = applied(stack)
    stack.do("confirm_application", contract_id, "turn_down")
    stack.pass_days(1)
    assert stack.tasks(contract_id) == []
    assert stack.outbox(kind="opening_notice", contract_id=contract_id) == []
    assert stack.operate("GET", f"/contracts/{contract_id}").json()["state"] == "turned_down"


@pytest.mark.parametrize(
    "changes",
    [
        {"line_type": "adsl"},
        {"line_type": None},
        {"monthly_cap": -1},
        {"monthly_cap": "10000"},
        {"two_year_discount": 1},
        {"plan": "wifi-100"},
    ],
)
def test_a_line_that_nobody_could_have_is_malformed(stack: Stack, changes: dict[str, Any]) -> None:
    answer = stack.call("POST", "/v1/applications", json=application(**changes))
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(changes)


@pytest.mark.rule("LIN-2")
@pytest.mark.parametrize("method", ["account_transfer", "invoice", "isp_collection"])
def test_a_line_is_paid_by_transfer_invoice_or_provider(stack: Stack, method: str) -> None:
    assert applied(stack, payment={"method": method})


@pytest.mark.rule("LIN-2")
@pytest.mark.parametrize("method", ["atone", "np_invoice"])
def test_what_rentals_are_paid_by_does_not_pay_a_line(stack: Stack, method: str) -> None:
    answer = stack.call("POST", "/v1/applications", json=application(payment={"method": method}))
    assert (answer.status_code, answer.json()["rule"]) == (409, "LIN-2")


@pytest.mark.rule("LIN-2", "LIN-5")
def test_a_line_changes_between_all_its_methods_on_the_25th_too(stack: Stack) -> None:
    line = active_line(stack)
    stack.at(day=25)
    for payment in (
        {"method": "invoice"},
        CARD,
        CARD,
        {"method": "isp_collection"},
        {"method": "account_transfer"},
    ):
        answer = line.ask("payment_method", payment=payment)
        assert answer.status_code == 202, answer.text
        eventually(lambda: not line.read()["pending"])
        assert line.read()["payment_method"] == payment["method"]
    assert line.refused(line.ask("payment_method", payment={"method": "atone"}), "LIN-2")


@pytest.mark.rule("LIN-5")
def test_a_declined_card_leaves_the_transfer_in_force(stack: Stack) -> None:
    line = active_line(stack)
    line.ask("payment_method", payment=CARD | {"card_token": "tok_declined"})
    eventually(lambda: not line.read()["pending"])
    assert line.read()["payment_method"] == "account_transfer"


# Signing in


def fields(line: Line) -> tuple[str, str]:
    return line.customer.login_id, line.customer.password


@pytest.mark.rule("IDN-4")
def test_a_refusal_is_the_same_whichever_part_was_wrong(stack: Stack) -> None:
    customer_id, key = fields(active_line(stack))
    unopened = applied(stack)
    wrong = [
        sign_in(stack, customer_id, "wrong123"),
        sign_in(stack, customer_id, key.swapcase()),
        sign_in(stack, customer_id, f" {key}"),
        sign_in(stack, customer_id.lower(), key),
        sign_in(stack, unknown(), key),
        sign_in(stack, unopened, key),
        stack.sign_in(customer_id, key),
    ]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text for answer in wrong}) == 1
    assert wrong[0].json()["rule"] == "IDN-4"


@pytest.mark.rule("IDN-5")
@pytest.mark.parametrize("known", [True, False], ids=["a known ID", "an unknown ID"])
def test_the_tenth_wrong_key_locks_a_customer_id(stack: Stack, known: bool) -> None:
    customer_id, key = fields(active_line(stack))
    customer_id = customer_id if known else unknown()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: sign_in(stack, customer_id, "wrong123"), range(14)))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 4
    locked = sign_in(stack, customer_id, key)
    assert (locked.status_code, locked.json()["rule"]) == (429, "IDN-5")
    stack.move(stack.now() + timedelta(seconds=int(locked.headers["retry-after"])))
    assert sign_in(stack, customer_id, key).status_code == (201 if known else 401)


@pytest.mark.rule("IDN-5")
def test_an_operator_lifts_the_lock_of_a_customer_id(stack: Stack) -> None:
    line = active_line(stack)
    customer_id, key = fields(line)
    for _ in range(10):
        sign_in(stack, customer_id, "wrong123")
    assert stack.operate("POST", f"/logins/{customer_id}/unlock").status_code == 200
    assert line.items("/timeline")[-1]["by"] == "operator:operator"
    assert sign_in(stack, customer_id, key).status_code == 201


def unknown() -> str:
    return f"CAF{uuid4().int % 10**10:010d}"


# A new access key


@pytest.mark.rule("IDN-2")
def test_a_new_key_comes_by_post_and_the_old_one_stops_at_once(stack: Stack) -> None:
    line = active_line(stack)
    customer_id, old = fields(line)
    stack.at(day=range(4, 28), time="09:00:00")
    answer = stack.operate("POST", f"/contracts/{line.contract_id}/access-key")
    assert answer.status_code == 200, answer.text
    assert "access_key" not in answer.json()
    assert sign_in(stack, customer_id, old).status_code == 401
    letter = stack.mailed("access_key", line.contract_id)
    assert (letter["channel"], letter["fields"]["customer_id"]) == ("post", customer_id)
    new = letter["fields"]["access_key"]
    assert new != old
    assert sign_in(stack, customer_id, new).status_code == 201


@pytest.mark.rule("IDN-2")
def test_outside_its_hours_no_key_is_issued(stack: Stack) -> None:
    line = active_line(stack)

    def refused_until(opens_at: datetime) -> bool:
        answer = stack.operate("POST", f"/contracts/{line.contract_id}/access-key")
        return line.refused(answer, "IDN-2") and answer.json()["opens_at"] == opens_at.isoformat()

    early = stack.at(day=range(4, 27), time="08:55:00")
    assert refused_until(early.replace(hour=9, minute=0, second=0))
    late = stack.at(day=range(4, 27), time="17:00:00")
    assert refused_until((late + timedelta(days=1)).replace(hour=9))
    new_year = stack.at(day=29, month=12, time="09:00:00")
    assert refused_until(new_year.replace(year=new_year.year + 1, month=1, day=4))
    assert line.customer.sign_in().status_code == 201


def test_there_are_keys_for_lines_only(stack: Stack) -> None:
    stack.at(day=range(4, 28))
    for contract_id in (stack.apply(), "k-nobody"):
        assert stack.operate("POST", f"/contracts/{contract_id}/access-key").status_code == 404

"""Signing in: nothing tells which part was wrong, ten wrong tries lock an ID, known or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.stack import Customer, Stack


@pytest.fixture
def somebody(stack: Stack) -> Customer:
    """A customer whose login no other test locks."""
    return stack.preparing_contract().customer


def unknown_id() -> str:
    return f"KY{uuid4().hex[:8].upper()}"


def test_a_session_says_when_it_ends_and_ends_then(stack: Stack, somebody: Customer) -> None:
    answer = stack.sign_in(somebody.login_id, somebody.password)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    ends, token = datetime.fromisoformat(answer.json()["expires_at"]), answer.json()["token"]
    assert ends - stack.now() > timedelta(hours=11, minutes=55)
    stack.move(ends - timedelta(minutes=5))
    assert stack.call("GET", "/v1/contracts", token).status_code == 200
    stack.move(ends)
    assert stack.call("GET", "/v1/contracts", token).status_code == 401


@pytest.mark.rule("IDN-4")
def test_a_refusal_is_the_same_whichever_part_was_wrong(stack: Stack, somebody: Customer) -> None:
    wrong = [
        stack.sign_in(somebody.login_id, "wrong"),
        stack.sign_in(unknown_id(), somebody.password),
        stack.sign_in(somebody.login_id.lower(), somebody.password),
        stack.sign_in(somebody.login_id, f" {somebody.password}"),
        stack.sign_in(somebody.login_id, somebody.password.upper()),
    ]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text for answer in wrong}) == 1
    assert wrong[0].json()["rule"] == "IDN-4"
    assert {answer.headers.get("www-authenticate") for answer in wrong} == {"Bearer"}
    english = stack.call(
        "POST",
        "/v1/sessions",
        json={"login_id": unknown_id(), "password": "x"},
        headers={"Accept-Language": "en"},
    )
    for cause in ("Check capital and small letters", "the line you come from", "a space in front"):
        assert cause in english.json()["detail"]


@pytest.mark.rule("IDN-5")
@pytest.mark.parametrize("known", [True, False], ids=["a known ID", "an unknown ID"])
def test_the_tenth_wrong_try_locks_the_id_for_a_quarter_of_an_hour(
    stack: Stack, somebody: Customer, known: bool
) -> None:
    login_id = somebody.login_id if known else unknown_id()
    assert [stack.sign_in(login_id, "wrong").status_code for _ in range(10)] == [401] * 10
    locked = stack.sign_in(login_id, somebody.password)
    assert (locked.status_code, locked.json()["rule"]) == (429, "IDN-5")
    assert 600 < int(locked.headers["retry-after"]) <= 900
    stack.move(stack.now() + timedelta(seconds=int(locked.headers["retry-after"])))
    assert stack.sign_in(login_id, somebody.password).status_code == (201 if known else 401)


@pytest.mark.rule("IDN-5")
def test_a_right_try_in_between_is_forgiven(stack: Stack, somebody: Customer) -> None:
    for _ in range(2):
        for _ in range(9):
            assert stack.sign_in(somebody.login_id, "wrong").status_code == 401
        assert stack.sign_in(somebody.login_id, somebody.password).status_code == 201


@pytest.mark.rule("IDN-5")
def test_an_operator_lifts_a_lock(stack: Stack, somebody: Customer) -> None:
    for _ in range(11):
        stack.sign_in(somebody.login_id, "wrong")
    for _ in range(2):
        lifted = stack.operate("POST", f"/logins/{somebody.login_id}/unlock")
        assert lifted.json() == {"login_id": somebody.login_id, "locked": False}
    (contract,) = stack.operate("GET", f"/contracts?query={somebody.login_id}").json()["items"]
    told = stack.operate("GET", f"/contracts/{contract['contract_id']}/timeline").json()["items"]
    assert [(one["what"], one["by"]) for one in told][-1] == ("login_unlocked", "operator:operator")
    assert [one["what"] for one in told].count("login_unlocked") == 1, "there was one lock"
    assert stack.sign_in(somebody.login_id, somebody.password).status_code == 201


@pytest.mark.rule("IDN-5")
def test_a_burst_has_no_more_tries_than_any_other(stack: Stack) -> None:
    login_id = unknown_id()
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: stack.sign_in(login_id, "wrong").status_code, range(24)))
    assert sorted(answers) == [401] * 10 + [429] * 14

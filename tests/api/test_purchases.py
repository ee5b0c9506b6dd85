"""Purchases with a passport ID: from which line, up to which cap, and what of them is seen."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import update

from rules.calendar import day_of, first_of_month, midnight
from store.database import connect
from store.tables import AnswerRow
from store.write import table
from tests.line import PASSWORD, Line, active_line, assertion, buy, new_name
from tests.running import KEIYAKU
from tests.stack import Stack, new_key


@pytest.mark.rule("MAT-6", "MAT-11")
def test_purchases_are_listed_oldest_first(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    first = line.buy(made, 500, item="Film 1")
    line.item(made, 300, provider="Ongaku", item="Songs", cancellation_fee=200)
    assert (first.status_code, list(first.json())) == (201, ["purchase_id"])
    one, two = line.items("/purchases")
    assert one["purchase_id"] == first.json()["purchase_id"]
    assert [(p["provider"], p["item"], p["kind"], p["amount"]) for p in (one, two)] == [
        ("Eiga Channel", "Film 1", "one_off", 500),
        ("Ongaku", "Songs", "monthly", 300),
    ]
    assert one["at"] <= two["at"]
    assert len(line.read("/purchases?limit=1")["items"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": "500"},
        {"amount": True},
        {"amount": 1.5},
        {"kind": "weekly"},
        {"provider": ""},
        {"item": " "},
        {"cancellation_fee": -1},
        {"price": 1},
    ],
    ids=str,
)
def test_what_is_malformed_is_named(stack: Stack, body: dict[str, Any]) -> None:
    answer = buy(stack, "nobody", **({"amount": 500} | body))
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(body)


def test_only_providers_have_purchases_taken(stack: Stack) -> None:
    line = active_line(stack)
    body = {"name": "n", "password": "p", "provider": "P", "item": "I", "kind": "one_off", "amount": 1}
    tokens = {None: 401, line.customer.token: 403, stack.operator_token: 403}
    for token, status in tokens.items():
        assert stack.call("POST", "/v1/purchases", token, json=body).status_code == status


@pytest.mark.rule("MAT-4")
def test_the_cap_of_the_line_is_reached_and_never_passed(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    assert line.buy(made, 6000).status_code == 201
    assert line.refused(line.buy(other, 4001), "MAT-4")
    assert line.buy(other, 4000).status_code == 201
    assert line.refused(line.buy(made, 1), "MAT-4")
    assert [bought["amount"] for bought in line.items("/purchases")] == [6000, 4000]


@pytest.mark.rule("MAT-4")
def test_the_cap_of_an_id_holds_inside_the_lines(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(monthly_cap=3000), line.passport_id()
    assert line.refused(line.buy(made, 3001), "MAT-4")
    assert line.buy(made, 3000).status_code == 201
    assert line.refused(line.buy(made, 1), "MAT-4")
    assert line.buy(other, 7000).status_code == 201
    line.change(made["passport_id"], monthly_cap=None)
    assert line.refused(line.buy(made, 1), "MAT-4")


@pytest.mark.rule("MAT-4")
def test_a_cap_of_nothing_takes_nothing(stack: Stack) -> None:
    line = active_line(stack, monthly_cap=0)
    assert line.refused(line.buy(line.passport_id(), 1), "MAT-4")


@pytest.mark.rule("MAT-4")
def test_caps_start_again_on_the_1st(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id(monthly_cap=5000)
    stack.at(day=1, time="00:00:00")
    assert line.buy(made, 5000).status_code == 201
    stack.at(day=28, time="23:55:00")
    assert line.refused(line.buy(made, 1), "MAT-4")
    stack.at(day=1, time="00:00:00")
    assert line.buy(made, 5000).status_code == 201


@pytest.mark.rule("MAT-4")
def test_a_refusal_names_the_1st_if_the_same_fits_then(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(monthly_cap=7000), line.passport_id()
    line.item(made, 4000)
    assert line.buy(other, 5000).status_code == 201
    on = midnight(first_of_month(day_of(stack.now()), 1)).isoformat()
    for passport, amount, opens_at in (
        (made, 3000, on),
        (made, 3001, None),  # beside the monthly item it never fits
        (other, 6000, on),
        (other, 6001, None),
    ):
        answer = line.buy(passport, amount)
        assert line.refused(answer, "MAT-4")
        assert answer.json().get("opens_at") == opens_at
    stack.at(day=1, time="00:00:00")
    line.agree("cancellation")
    assert line.buy(other, 6000).status_code == 201
    assert line.buy(other, 1).json().get("opens_at") is None, "the line is over by then"


@pytest.mark.rule("MAT-4", "MAT-6")
def test_monthly_items_count_first_in_every_month(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id(monthly_cap=7000)
    line.item(made, 4000)
    for _ in range(3):
        assert line.refused(line.buy(made, 3001), "MAT-4")
        assert line.buy(made, 3000).status_code == 201
        stack.at(day=1, time="00:00:00")
    assert len(line.items("/purchases")) == 4


@pytest.mark.rule("MAT-4")
def test_of_many_racing_for_the_last_yen_those_are_taken_that_fit(stack: Stack) -> None:
    line = active_line(stack)
    ids = [line.passport_id() for _ in range(4)]
    assert line.buy(ids[0], 5001).status_code == 201
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda n: line.buy(ids[n % 4], 1000, item=f"Film {n}"), range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 12
    assert {answer.json()["rule"] for answer in answers if answer.status_code == 409} == {"MAT-4"}
    assert sum(bought["amount"] for bought in line.items("/purchases")) == 9001
    assert line.buy(ids[3], 999).status_code == 201


@pytest.mark.rule("MAT-4")
def test_those_racing_under_the_cap_of_an_id_are_no_more_either(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id(monthly_cap=3000)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: line.buy(made, 1000).status_code, range(16)))
    assert sorted(answers) == [201] * 3 + [409] * 13


# From which line


@pytest.mark.rule("MAT-5")
def test_a_purchase_comes_from_the_ids_own_line(stack: Stack) -> None:
    line, other = active_line(stack), active_line(stack)
    name, now = line.passport_id()["name"], stack.now()
    forged = jwt.encode({"sub": line.contract_id, "exp": int(now.timestamp()) + 300}, "x" * 64, "HS256")
    unsigned = jwt.encode({"sub": line.contract_id, "exp": int(now.timestamp()) + 300}, None, "none")
    said = {
        "none": {},
        "another line's": {"Line-Assertion": assertion(stack, other.contract_id, now)},
        "expired": {"Line-Assertion": assertion(stack, line.contract_id, now - timedelta(minutes=5))},
        "forged": {"Line-Assertion": forged},
        "unsigned": {"Line-Assertion": unsigned},
        "a session": {"Line-Assertion": line.customer.token},
        "nonsense": {"Line-Assertion": "yes"},
    }
    answers = {why: buy(stack, name, 100, headers=headers) for why, headers in said.items()}
    assert {why: line.refused(answer, "MAT-5") for why, answer in answers.items()} == dict.fromkeys(
        said, True
    )
    fresh = {"Line-Assertion": assertion(stack, line.contract_id, now)}
    assert buy(stack, name, 100, headers=fresh).status_code == 201


@pytest.mark.rule("MAT-5")
def test_an_assertion_is_good_for_five_minutes_by_the_clock_of_the_service(stack: Stack) -> None:
    line = active_line(stack)
    name = line.passport_id()["name"]
    token = subprocess.run(
        [KEIYAKU, "line-assertion", line.contract_id, "--data", stack.folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert len(token.split()) == 1
    issued, headers = stack.now(), {"Line-Assertion": token.strip()}
    stack.move(issued + timedelta(minutes=4))
    assert buy(stack, name, 100, headers=headers).status_code == 201
    stack.move(issued + timedelta(minutes=5))
    assert line.refused(buy(stack, name, 100, headers=headers), "MAT-5")


@pytest.mark.rule("MAT-5")
def test_without_line_authentication_it_may_come_from_anywhere(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    assert line.refused(buy(stack, made["name"], 100), "MAT-5")
    assert line.change(made["passport_id"], line_authentication=False).status_code == 200
    assert buy(stack, made["name"], 100).status_code == 201
    assert line.change(made["passport_id"], line_authentication=True).status_code == 200
    assert line.refused(buy(stack, made["name"], 100), "MAT-5")


# Name and password


def test_a_wrong_name_and_a_wrong_password_are_told_the_same(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    wrong = [
        line.buy(made, 100, password="sakura89"),
        line.buy(made, 100, password="SAKURA88"),
        line.buy(made, 100, password=" sakura88"),
        line.buy({"name": new_name()}, 100),
        line.buy({"name": made["name"].upper()}, 100),
        # An unknown ID is not told from a known one by what else is wrong.
        buy(stack, made["name"], 100, password="sakura89"),
    ]
    assert {answer.status_code for answer in wrong} == {403}
    assert len({answer.text for answer in wrong}) == 1
    assert "rule" not in wrong[0].json()


@pytest.mark.rule("IDN-5")
@pytest.mark.parametrize("known", [True, False], ids=["a known name", "an unknown name"])
def test_ten_wrong_passwords_lock_a_name(stack: Stack, known: bool) -> None:
    line = active_line(stack)
    made = line.passport_id() if known else {"name": new_name()}
    with ThreadPoolExecutor(3) as threads:
        tried = list(threads.map(lambda _: line.buy(made, 1, password="wrong123").status_code, range(13)))
    assert sorted(tried) == [403] * 10 + [429] * 3
    locked = line.buy(made, 100)
    assert (locked.status_code, locked.json()["rule"]) == (429, "IDN-5")
    stack.move(stack.now() + timedelta(seconds=int(locked.headers["retry-after"])))
    assert line.buy(made, 100).status_code == (201 if known else 403)


@pytest.mark.rule("IDN-5")
def test_a_lock_stays_with_its_passport_id_and_not_with_the_name_that_it_had(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    lock(line, made)
    renamed = line.change(made["passport_id"], name=new_name()).json()
    assert line.buy(renamed, 100).status_code == 429, "it was this one that was tried"
    assert line.buy(line.passport_id(made["name"]), 100).status_code == 201, "nobody ever tried it"


@pytest.mark.rule("IDN-5")
def test_a_new_passport_id_is_not_locked_by_tries_from_before_there_was_one(stack: Stack) -> None:
    line, name = active_line(stack), new_name()
    lock(line, {"name": name})
    assert line.buy(line.passport_id(name), 100).status_code == 201


@pytest.mark.rule("IDN-5")
def test_an_operator_lifts_the_lock_of_a_passport_id_by_its_present_name(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    lock(line, made)
    renamed = line.change(made["passport_id"], name=new_name()).json()
    unlock(stack, made["name"])
    assert line.buy(renamed, 100).status_code == 429, "the name is nobody's now"
    unlock(stack, renamed["name"])
    assert line.buy(renamed, 100).status_code == 201
    assert [one["what"] for one in line.items("/timeline")].count("login_unlocked") == 1


@pytest.mark.rule("IDN-5")
def test_an_operator_lifts_the_lock_of_a_name_that_nobody_has(stack: Stack) -> None:
    line, nobody = active_line(stack), {"name": new_name()}
    lock(line, nobody)
    unlock(stack, nobody["name"])
    assert line.buy(nobody, 100).status_code == 403


def lock(line: Line, passport: dict[str, Any]) -> None:
    for _ in range(10):
        assert line.buy(passport, 1, password="wrong123").status_code == 403
    assert line.buy(passport, 100).status_code == 429


def unlock(stack: Stack, name: str) -> None:
    assert stack.operate("POST", f"/logins/{name}/unlock").json() == {"login_id": name, "locked": False}


@pytest.mark.rule("MAT-7")
def test_a_new_name_and_password_change_nothing_about_what_was_bought(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id(monthly_cap=5000)
    line.item(made, 3000)
    before, name = line.items("/purchases"), new_name()
    changed = line.change(made["passport_id"], name=name, password="momiji77")
    assert (changed.status_code, changed.json()) == (200, made | {"name": name})
    assert line.items("/purchases") == before
    assert line.buy(made, 100).status_code == 403
    assert line.buy(changed.json(), 100).status_code == 403
    assert line.refused(line.buy(changed.json(), 2001, password="momiji77"), "MAT-4")
    assert line.buy(changed.json(), 2000, password="momiji77").status_code == 201
    stack.at(day=1, time="00:00:00")
    assert line.refused(line.buy(changed.json(), 2001, password="momiji77"), "MAT-4")


@pytest.mark.rule("MAT-12")
def test_a_provider_learns_nothing_of_the_customer(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    assert list(line.buy(made, 100).json()) == ["purchase_id"]
    for path in (line.path, f"{line.path}/purchases", f"{line.path}/passport-ids", "/v1/contracts"):
        assert stack.call("GET", path, stack.provider_token).status_code == 403
    for path in ("/operator/v1/tasks", f"/operator/v1/contracts/{line.contract_id}"):
        assert stack.call("GET", path, stack.provider_token).status_code == 403


def test_a_repeated_purchase_is_one(stack: Stack) -> None:
    line: Line = active_line(stack)
    made = line.passport_id(line_authentication=False)
    answers = [buy(stack, made["name"], 500, headers={"Idempotency-Key": made["name"]}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(line.items("/purchases")) == 1


@pytest.mark.parametrize("what", ["purchase", "passport ID"])
def test_what_was_taken_before_an_api_died_is_answered_when_it_is_asked_for_again(
    stack: Stack, what: str
) -> None:
    line: Line = active_line(stack)
    name, key = new_name(), {"Idempotency-Key": new_key()}
    body = {"name": name, "password": PASSWORD, "line_authentication": False}

    def ask() -> httpx.Response:
        if what == "purchase":
            return buy(stack, name, 500, headers=key)
        return line.customer.post(f"{line.path}/passport-ids", body, headers=key)

    if what == "purchase":
        line.passport_id(name, line_authentication=False)
    first = ask()
    died_before_it_answered(stack, first)
    again = ask()
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(line.items("/purchases" if what == "purchase" else "/passport-ids")) == 1


def died_before_it_answered(stack: Stack, answer: httpx.Response) -> None:
    """What the store looks like then, once the lease is over."""
    rows, engine = table(AnswerRow), connect(stack.database_url)
    undone = {"status": None, "headers": None, "body": None, "leased_until": stack.now() - timedelta(hours=1)}
    with engine.begin() as connection:
        found = connection.execute(update(rows).where(rows.c.body == answer.text).values(**undone))
    assert found.rowcount == 1
    engine.dispose()

"""The same request again is answered again and not done again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, func, select

from api import idempotency
from rules.calendar import JST
from store import answers
from store.database import connect, in_transaction
from store.migrate import upgrade
from store.tables import AnswerRow
from store.write import table
from tests.second_api import second_api
from tests.stack import Stack, application, new_key


def apply(stack: Stack, key: str, token: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return stack.call("POST", "/v1/applications", token, json=application(**changes), headers=headers)


def replayed(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("idempotency-replayed") == "true")


def test_the_same_key_and_body_is_the_first_answer_again(stack: Stack) -> None:
    key = new_key()
    first, again = apply(stack, key), apply(stack, key)
    assert (first.status_code, replayed(first)) == (202, False)
    assert (again.status_code, again.json(), replayed(again)) == (202, first.json(), True)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]


def test_without_a_key_each_request_is_one_of_its_own(stack: Stack) -> None:
    first, second = (stack.call("POST", "/v1/applications", json=application()).json() for _ in range(2))
    assert first["contract_id"] != second["contract_id"]


def test_the_same_key_with_another_body_is_refused(stack: Stack) -> None:
    key = new_key()
    assert apply(stack, key).status_code == 202
    answer = apply(stack, key, plan="wifi-50")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_second_request_waits_for_the_first(stack: Stack) -> None:
    key = new_key()
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: apply(stack, key), range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["contract_id"] for answer in answers}) == 1
    assert [replayed(answer) for answer in answers].count(False) == 1


def test_keys_are_by_caller_method_and_path_those_of_public_calls_by_key_alone(stack: Stack) -> None:
    key = new_key()
    first, second = stack.active_contract(), stack.active_contract()
    callers = (None, first.customer.token, second.customer.token, stack.operator_token)
    answers = [apply(stack, key, caller) for caller in callers]
    assert [(answer.status_code, replayed(answer)) for answer in answers] == [
        (202, False),
        *[(202, True)] * 3,
    ]
    assert len({answer.json()["contract_id"] for answer in answers}) == 1
    for rental in (first, second):
        for kind in ("cancellation", "payment_method"):
            path = f"{rental.path}/procedures/{kind}/preview"
            headers = {"Idempotency-Key": key}
            answer = rental.customer.post(
                path, {} if kind == "cancellation" else {"payment": {"method": "atone"}}, headers=headers
            )
            assert not replayed(answer)
            assert answer.status_code != 422
    elsewhere = stack.call("POST", "/v1/sessions", json={}, headers={"Idempotency-Key": key})
    assert elsewhere.status_code == 422
    assert elsewhere.json()["errors"][0]["field"] == "Idempotency-Key"


def remembered(stack: Stack) -> int:
    with stack.engine.begin() as connection:
        return int(connection.execute(select(func.count()).select_from(table(AnswerRow))).scalar_one())


def test_whoever_has_to_sign_in_first_is_told_so_and_nothing_is_remembered_of_it(stack: Stack) -> None:
    used = new_key()
    assert apply(stack, used).status_code == 202
    before = remembered(stack)
    for path in ("/v1/contracts/k-0/membership", "/v1/purchases", "/operator/v1/tasks/t-0", "/v1/nothing"):
        for token in (None, "forged"):
            for key in (new_key(), used, "", "k" * 201):
                headers = {"Idempotency-Key": key}
                for body in (b"{}", b"x" * 100_000):
                    answer = stack.call("POST", path, token, content=body, headers=headers)
                    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert remembered(stack) == before


@pytest.mark.parametrize("key", ["a key", "k" * 201])
def test_a_token_that_does_not_hold_is_told_before_the_key_is_looked_at(stack: Stack, key: str) -> None:
    assert apply(stack, key, "forged").status_code == 401


async def test_a_key_stays_with_its_request_for_as_long_as_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = timedelta(seconds=0.4)
    monkeypatch.setattr(idempotency, "LEASE", lease)
    url = f"sqlite:///{tmp_path}/keiyaku.db"
    upgrade(url)
    engine = connect(url)

    async def write(work: Callable[[Connection], Any]) -> Any:
        return await asyncio.to_thread(in_transaction, engine, work)

    # It stands still between our steps, however long they take.
    clock = SimpleNamespace(now=datetime.now(JST))
    found: Any = SimpleNamespace(now=lambda: clock.now, settings=SimpleNamespace(clock_speed=1), write=write)

    async def claim(body: str) -> answers.Claim:
        taken: answers.Claim = await write(lambda c: answers.claim(c, "key", body, clock.now, lease))
        return taken

    async def renewed() -> bool:
        """Up to one lease from now; it is still whose it was."""
        again = await claim("another body")
        assert not again.mine
        return bool(again.row["leased_until"] >= clock.now + lease)

    first = await claim("one body")
    async with asyncio.timeout(60), idempotency._leased(found, "key", first.received_at):
        for _ in range(3):
            clock.now += lease
            while not await renewed():
                pass
    clock.now += lease * 2
    assert (await claim("another body")).mine, "once nobody does it any more"


def test_only_what_was_done_is_kept(stack: Stack) -> None:
    key = new_key()
    for _ in range(2):
        refused = apply(stack, key, payment={"method": "invoice"})
        assert (refused.status_code, replayed(refused)) == (409, False)
    malformed = apply(stack, key, plan="no such plan")
    assert malformed.status_code == 422
    assert (apply(stack, key).status_code, replayed(apply(stack, key))) == (202, True)


def test_a_procedure_asked_for_twice_began_once(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=3)
    consent = rental.preview("cancellation").json()["consent"]
    headers = {"Idempotency-Key": new_key()}
    path, body = f"{rental.path}/procedures/cancellation", {"consent": consent}
    first, again = (rental.customer.post(path, body, headers=headers) for _ in range(2))
    assert (first.status_code, again.json(), replayed(again)) == (202, first.json(), True)
    assert len([p for p in rental.items("/procedures") if p["kind"] == "cancellation"]) == 1


def test_an_operators_act_repeated_is_answered_as_before(stack: Stack) -> None:
    contract_id = stack.apply()
    task = stack.task("confirm_application", contract_id)
    headers = {"Idempotency-Key": new_key()}
    answers = [
        stack.operate("POST", f"/tasks/{task['task_id']}", json={"action": "approve"}, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert stack.operate("POST", f"/tasks/{task['task_id']}", json={"action": "approve"}).status_code == 409


def test_answers_are_kept_for_a_day_and_then_the_key_is_as_good_as_new(stack: Stack) -> None:
    key = new_key()
    first = apply(stack, key).json()
    stack.pass_days(1)
    assert apply(stack, key).json() == first
    stack.pass_days(3)
    later = apply(stack, key, plan="wifi-50")
    assert (later.status_code, replayed(later)) == (202, False)
    assert later.json()["contract_id"] != first["contract_id"]


def test_another_process_gives_the_first_answer_too(stack: Stack) -> None:
    key = new_key()
    first = apply(stack, key)
    with second_api(stack) as http:
        again = http.post("/v1/applications", json=application(), headers={"Idempotency-Key": key})
    assert (again.json(), replayed(again)) == (first.json(), True)


@pytest.mark.rule("COL-7")
def test_nobody_can_try_out_what_a_remembered_body_was(stack: Stack) -> None:
    key, body = new_key(), {"customer_id": "CAF0000000000", "access_key": "ABCD2345"}
    content = json.dumps(body).encode()
    stack.call("POST", "/v1/sessions", content=content, headers={"Idempotency-Key": key})
    by_anybody = hashlib.sha256(b"POST /v1/sessions\n" + content).hexdigest()
    rows = table(AnswerRow)
    with stack.engine.begin() as connection:
        row = connection.execute(select(rows).order_by(rows.c.received_at.desc()).limit(1)).mappings().one()
    assert row["answer_key"] == hashlib.sha256(f"public\n{key}".encode()).hexdigest()
    assert row["body_hash"] != by_anybody


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_has_1_to_200_characters(stack: Stack, key: str) -> None:
    answer = apply(stack, key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")

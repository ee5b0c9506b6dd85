"""The sandbox gateway keeps its promises: once a key, over restarts, and the tricks of its tokens."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from tests.sandbox.process import Running, run
from tests.stack import eventually


@pytest.fixture
def key() -> str:
    return str(uuid4())


def done(sandbox: Running, what: str, key: str) -> int:
    return sum(entry["key"] == key for entry in sandbox.ledger(what))


def test_a_card_is_taken_and_charged_once_a_key(sandbox: Running, key: str) -> None:
    card = sandbox.pay("cards", f"card-{key}", card_token="tok_ok").json()
    first = sandbox.pay("charges", key, reference=card["reference"], amount=4800)
    again = sandbox.pay("charges", key, reference=card["reference"], amount=4800)
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (201, first.json())
    assert [entry["amount"] for entry in sandbox.ledger("charges") if entry["key"] == key] == [4800]


def test_what_was_done_for_a_key_is_remembered_after_a_restart(tmp_path: Path, key: str) -> None:
    with run(tmp_path) as before:
        card = before.pay("cards", key, card_token="tok_ok").json()
    with run(tmp_path) as after:
        assert after.pay("cards", key, card_token="tok_ok").json() == card
        assert done(after, "cards", key) == 1


def test_a_key_used_for_something_else_is_refused(sandbox: Running, key: str) -> None:
    sandbox.pay("cards", key, card_token="tok_ok")
    assert sandbox.pay("cards", key, card_token="tok_slow").status_code == 422
    assert sandbox.pay("charges", key, reference="card_x", amount=1).status_code == 422


@pytest.mark.parametrize(
    ("token", "code"), [("tok_declined", "card_declined"), ("tok_of_another_world", "unknown_card")]
)
def test_a_card_that_is_declined(sandbox: Running, key: str, token: str, code: str) -> None:
    answer = sandbox.pay("cards", key, card_token=token)
    assert (answer.status_code, answer.json()["code"]) == (402, code)
    assert done(sandbox, "cards", key) == 0


def test_a_charge_to_a_card_that_was_never_taken_is_declined(sandbox: Running, key: str) -> None:
    assert sandbox.pay("charges", key, reference="card_nobody", amount=1).status_code == 402


def test_a_flaky_card_fails_twice_for_each_key_then_works(sandbox: Running, key: str) -> None:
    taken = [sandbox.pay("cards", f"card-{key}", card_token="tok_flaky") for _ in range(4)]
    assert [answer.status_code for answer in taken] == [503, 503, 201, 201]
    reference = taken[-1].json()["reference"]
    charged = [sandbox.pay("charges", key, reference=reference, amount=1).status_code for _ in range(3)]
    assert charged == [503, 503, 201]


def test_a_repeat_to_a_slow_card_waits_for_the_first_answer(tmp_path: Path, key: str) -> None:
    """And no longer: as long again would be over five and a half seconds after the first, on any machine every time."""
    with run(tmp_path, "--slow-seconds", "3") as sandbox, ThreadPoolExecutor() as pool:

        def waited(key: str) -> float:
            began = time.monotonic()
            first = pool.submit(sandbox.pay, "cards", key, card_token="tok_slow")
            time.sleep(2.5)
            second = sandbox.pay("cards", key, card_token="tok_slow")
            seconds = time.monotonic() - began
            assert first.result().json() == second.json()
            assert done(sandbox, "cards", key) == 1
            assert seconds >= 3
            return seconds

        assert any(waited(f"{key}-{turn}") < 5.4 for turn in range(3))


def test_while_it_is_slow_a_charge_is_made_at_once_and_answered_late(tmp_path: Path, key: str) -> None:
    with run(tmp_path, "--slow-seconds", "5") as sandbox, ThreadPoolExecutor() as pool:
        card = sandbox.pay("cards", f"card-{key}", card_token="tok_ok").json()
        sandbox.faults(gateway="slow")
        waiting = pool.submit(sandbox.pay, "charges", key, reference=card["reference"], amount=4800)
        eventually(lambda: done(sandbox, "charges", key) == 1)
        assert not waiting.done()
        assert waiting.result().status_code == 201


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("cards", {"card_token": 1}),
        ("cards", {"card_token": "tok_ok", "more": 1}),
        ("charges", {"reference": "card_x", "amount": 0}),
        ("charges", {"reference": "card_x", "amount": "1"}),
        ("charges", {"reference": "card_x", "amount": 1.5}),
    ],
)
def test_a_malformed_request_is_422(sandbox: Running, key: str, what: str, body: dict[str, object]) -> None:
    assert sandbox.pay(what, key, **body).status_code == 422


def test_without_a_key_or_without_signing_in_nothing_is_done(sandbox: Running, key: str) -> None:
    before = sandbox.ledger("cards")
    body = {"card_token": "tok_ok"}
    assert sandbox.http.post("/gateway/cards", json=body, headers={"Idempotency-Key": key}).status_code == 401
    assert (
        sandbox.http.post("/gateway/cards", json=body, headers={"Authorization": "Bearer x"}).status_code
        == 422
    )
    assert sandbox.ledger("cards") == before


def test_faults_break_it_and_mend_it(sandbox: Running, key: str) -> None:
    sandbox.faults(gateway="down")
    assert sandbox.pay("cards", key, card_token="tok_ok").status_code == 503
    sandbox.faults(gateway="decline")
    assert sandbox.pay("cards", f"other-{key}", card_token="tok_ok").status_code == 402
    sandbox.faults(gateway="up")
    assert sandbox.pay("cards", key, card_token="tok_ok").status_code == 201
    assert sandbox.http.post("/faults", json={"gateway": "sideways"}).status_code == 422


def test_it_stops_at_once_even_while_somebody_waits_for_a_slow_card(tmp_path: Path, key: str) -> None:
    with run(tmp_path) as sandbox, ThreadPoolExecutor() as pool:
        waiting = pool.submit(sandbox.pay, "cards", key, card_token="tok_slow")
        eventually(lambda: done(sandbox, "cards", key) == 1)
        assert sandbox.stop() < 10, "the card takes thirty"
        assert sandbox.process.returncode in (0, -15)
        assert waiting.exception(5) or waiting.result().status_code >= 500

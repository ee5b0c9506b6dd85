"""Unpaid bills over HTTP: from the month's end to the end of the contract, and payments on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from rules import policy
from rules.calendar import first_of_month
from store import contracts
from store.tables import ContractRow, PolicyRow
from store.write import table
from tests.line import Line, active_line
from tests.owing import INVOICE, Owing
from tests.stack import Stack, eventually, new_key


@pytest.fixture
def line(stack: Stack) -> Iterator[Line]:
    stack.at(day=range(2, 20))
    yield active_line(stack, payment=INVOICE)


@pytest.mark.rule("BIL-3", "BIL-4")
def test_a_bill_that_nobody_pays_ends_the_contract_step_by_step(stack: Stack, line: Line) -> None:
    passport = line.passport_id()
    assert line.buy(passport, 300).status_code == 201
    owing = Owing(stack, line)
    owing.settled()
    assert (owing.collection["state"], owing.collection["waiting_on"]) == ("unpaid", "customer")
    assert owing.collection["due_at"] == f"{owing.day('carried_over_after_days')}T00:00:00+09:00"
    for figure, state, contract in (
        ("carried_over_after_days", "carried_over", "active"),
        ("suspension_notice_after_days", "suspension_notice", "active"),
        ("suspended_after_days", "suspended", "suspended"),
    ):
        owing.until(figure)
        assert (owing.collection["state"], line.state) == (state, contract)
    assert line.read()["blocks"] == ["collection"]
    assert line.refused(line.buy(passport, 100), "BIL-3")
    assert line.refused(line.preview("move", address="大阪府大阪市北区梅田1-1"), "CAL-4")
    owing.until("disclosed_after_days")
    told = stack.operate("GET", "/disclosures", params={"contract_id": line.contract_id}).json()["items"]
    assert [(one["provider"], one["amount"], one["period"]) for one in told] == [
        ("Eiga Channel", 300, owing.period)
    ]
    assert "purchases_disclosed" in [entry["what"] for entry in line.items("/timeline")]
    owing.until("terminated_after_days", "00:00:00")
    assert (owing.collection["state"], line.state) == ("terminated", "ended")
    assert line.read()["ended_at"] == f"{owing.day('terminated_after_days')}T00:00:00+09:00"
    assert (line.items("/passport-ids"), line.read()["blocks"]) == ([], [])
    assert owing.notices() == [
        "carried_over_invoice",
        "suspension_notice",
        "suspended",
        "termination_notice",
        "terminated",
    ]
    (last, *_) = eventually(lambda: stack.outbox(kind="terminated", contract_id=line.contract_id))
    assert last["fields"]["billing_number"] == owing.statement["billing_number"]
    assert "ご契約を解除" in last["text"] and "was terminated" in last["text"]


def test_a_line_owing_by_a_policy_that_another_process_decides_by_is_there(stack: Stack, line: Line) -> None:
    Owing(stack, line).settled()
    name, headers = new_key(), {"Authorization": f"Bearer {line.customer.token}"}
    known = {"digest": name, "body": policy.current().model_dump(mode="json")}
    with stack.engine.begin() as connection:
        connection.execute(insert(table(PolicyRow)).values(**known))
        snapshot = contracts.snapshot(connection, line.contract_id)
        for procedure in snapshot.procedures:
            procedure.policy = name
        mine = table(ContractRow).c.contract_id == line.contract_id
        told = {"snapshot": snapshot.model_dump(mode="json")}
        connection.execute(update(table(ContractRow)).where(mine).values(**told))

    def there() -> bool:
        answer = stack.http.get(f"{line.path}/passport-ids", headers=headers)
        assert answer.status_code in (200, 503), "for the moment until it has heard of the policy"
        return answer.is_success

    assert eventually(there)


@pytest.mark.rule("BIL-3", "MAT-9")
def test_payment_lifts_the_suspension_and_no_restriction(stack: Stack, line: Line) -> None:
    passport = line.passport_id()
    assert line.ask("restriction", passport_id=passport["passport_id"]).status_code == 202
    owing = Owing(stack, line)
    owing.until("suspended_after_days")
    assert (line.state, line.restricted(passport["passport_id"])) == ("suspended", True)
    answer = owing.pay(owing.statement["total_with_tax"])
    assert (answer.status_code, answer.json()["state"], answer.json()["over"]) == (201, "active", 0)
    assert (line.state, line.read()["blocks"]) == ("active", [])
    assert line.restricted(passport["passport_id"])
    assert owing.statement["paid_on"] == f"{stack.now():%Y-%m-%d}"
    assert owing.collection["state"] == "paid"


@pytest.mark.rule("BIL-3")
def test_part_payments_too_much_and_the_same_key_twice(stack: Stack, line: Line) -> None:
    owing = Owing(stack, line)
    owing.settled()
    total = owing.statement["total_with_tax"]
    key = {"Idempotency-Key": new_key()}
    body = {"paid_at": stack.now().isoformat()}
    first, again = (owing.pay(1000, headers=key, **body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    assert first.json()["paid"][0]["paid_on"] is None
    last = owing.pay(total - 1000 + 70).json()
    assert ([share["amount"] for share in last["paid"]], last["over"]) == ([total - 1000], 70)
    assert owing.collection["state"] == "paid"
    whats = [entry["what"] for entry in line.items("/timeline")]
    assert whats.count("payment_received") == 2 and whats.count("payment_over") == 1


@pytest.mark.rule("BIL-3")
def test_a_bill_can_be_paid_before_its_settlement_and_is_never_collected(stack: Stack, line: Line) -> None:
    owing = Owing(stack, line)
    owing.closed()
    assert owing.pay(owing.statement["total_with_tax"]).status_code == 201
    owing.settled()
    assert [one for one in line.items("/procedures") if one["kind"] == "collection"] == []


@pytest.mark.rule("BIL-3")
def test_what_is_no_payment_of_this_contract_is_refused(stack: Stack, line: Line) -> None:
    owing = Owing(stack, line)
    owing.closed()
    other = active_line(stack, payment=INVOICE)
    number = owing.statement["billing_number"]
    wrong = Owing(stack, other)
    assert wrong.pay(1000, number).status_code == 404
    assert owing.pay(1000, "000000000000000000").status_code == 404
    for body in ({"amount": 0}, {"amount": "10"}, {"amount": True}, {"paid_at": "yesterday"}, {"more": 1}):
        assert owing.pay(**{"amount": 1000} | body).status_code == 422, body
    future = owing.pay(1000, paid_at=(stack.now() + timedelta(days=2)).isoformat())
    assert (future.status_code, future.json()["rule"]) == (409, "BIL-3")


@pytest.mark.rule("BIL-3")
def test_cards_are_charged_on_the_25th_and_a_card_that_was_declined_is_collected(stack: Stack) -> None:
    stack.at(day=range(2, 20))
    good = active_line(stack, payment={"method": "credit_card", "card_token": "tok_ok"})
    bad = active_line(stack, payment={"method": "credit_card", "card_token": "tok_declined"})
    by_transfer = active_line(stack)
    good_one, bad_one, transfer = (Owing(stack, one) for one in (good, bad, by_transfer))
    good_one.settled()
    on = f"{first_of_month(good_one.due_on).replace(day=25)}"
    assert [one.statement["paid_on"] for one in (good_one, transfer, bad_one)] == [on, on, None]
    assert bad_one.collection["state"] == "unpaid"


@pytest.mark.rule("BIL-3", "RNT-10")
def test_a_rental_that_is_terminated_has_to_send_its_device_back(stack: Stack) -> None:
    stack.at(day=range(2, 20))
    rental = stack.active_contract(payment={"method": "credit_card", "card_token": "tok_declined"})
    owing = Owing(stack, rental)
    owing.until("terminated_after_days")
    assert rental.state == "ended"
    assert [task["kind"] for task in stack.tasks(rental.contract_id)] == ["receive_device"]
    stack.do("receive_device", rental.contract_id)
    assert owing.collection["state"] == "terminated"


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("CAL-3")
def test_payments_that_come_at_the_same_moment_are_all_taken_and_none_twice(stack: Stack, line: Line) -> None:
    owing = Owing(stack, line)
    owing.until("suspended_after_days")
    total, number = owing.statement["total_with_tax"], owing.statement["billing_number"]
    parts = [total // 8] * 7 + [total - total // 8 * 7]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda amount: owing.pay(amount, number), parts))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert sum(share["amount"] for answer in answers for share in answer.json()["paid"]) == total
    assert [share["paid_on"] for answer in answers for share in answer.json()["paid"]].count(None) < 8
    assert (owing.collection["state"], line.state) == ("paid", "active")

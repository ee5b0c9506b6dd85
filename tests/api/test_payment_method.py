"""Another card, or a card instead of atone and NP invoice; the card in force stays so until the new one is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.stack import Rental, Stack, eventually

CARD = {"method": "credit_card", "card_token": "tok_ok"}


def closed(rental: Rental, answer: Any) -> str:
    """The state in which the change ends."""
    assert answer.status_code == 202, answer.text

    def state() -> str | None:
        found = rental.procedure(answer.json()["procedure_id"])["state"]
        return found if found != "accepted" else None

    return str(eventually(state))


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["atone", "np_invoice"])
def test_without_a_card_one_may_change_to_card_on_any_day(stack: Stack, method: str) -> None:
    rental = stack.active_contract(payment={"method": method})
    stack.at(day=25)
    assert closed(rental, rental.ask("payment_method", payment=CARD)) == "in_effect"
    assert rental.read()["payment_method"] == "credit_card"


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["atone", "np_invoice", "account_transfer", "invoice", "isp_collection"])
def test_a_card_changes_to_nothing_else(stack: Stack, method: str) -> None:
    rental = stack.active_contract(payment=CARD)
    answer = rental.ask("payment_method", payment={"method": method})
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-15")


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize("time", ["00:00:00", "23:55:00"])
def test_no_card_change_is_taken_on_the_25th(stack: Stack, time: str) -> None:
    rental = stack.active_contract(payment=CARD)
    today = stack.at(day=25, time=time).date()
    for answer in (
        rental.ask("payment_method", payment=CARD),
        rental.preview("payment_method", payment=CARD),
    ):
        assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-14")
        assert answer.json()["opens_at"] == f"{today + timedelta(days=1)}T00:00:00+09:00"


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize(("day", "time"), [(24, "23:55:00"), (26, "00:00:00")])
def test_another_card_is_taken_on_every_other_day(stack: Stack, day: int, time: str) -> None:
    rental = stack.active_contract(payment=CARD)
    stack.at(day=day, time=time)
    assert closed(rental, rental.ask("payment_method", payment=CARD)) == "in_effect"


def test_a_declined_card_leaves_the_old_one_in_force(stack: Stack) -> None:
    rental = stack.active_contract(payment={"method": "atone"})
    declined = {"method": "credit_card", "card_token": "tok_declined"}
    assert closed(rental, rental.ask("payment_method", payment=declined)) == "declined"
    found = rental.read()
    assert (found["payment_method"], found["blocks"], found["pending"]) == ("atone", [], [])


@pytest.mark.rule("CAL-4")
def test_a_contract_that_is_ending_still_takes_another_card(stack: Stack) -> None:
    rental = stack.active_contract(payment=CARD)
    stack.at(day=3)
    rental.agree("cancellation")
    assert closed(rental, rental.ask("payment_method", payment=CARD)) == "in_effect"


@pytest.mark.rule("RNT-16")
def test_receipts_are_for_card_payments_only(stack: Stack) -> None:
    by_invoice = stack.active_contract(payment={"method": "np_invoice"})
    answer = by_invoice.get("/receipts/2026-04.pdf")
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-16")
    by_card = stack.active_contract(payment=CARD)
    assert by_card.get("/receipts/2026-04.pdf").status_code == 404

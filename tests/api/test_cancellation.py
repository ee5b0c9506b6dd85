"""Cancellation: when it is taken, when it takes effect, what is left afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rules.calendar import first_of_month, midnight
from tests.stack import Rental, Stack, last_day


def day_of_month(began: datetime, months: int, day: int) -> datetime:
    """00:00 on that day of a later month."""
    return midnight(first_of_month(began.date(), months).replace(day=day))


def effects_of(rental: Rental) -> set[str]:
    return {effect["what"] for effect in rental.preview("cancellation").json()["effects"]}


@pytest.mark.rule("RNT-8")
@pytest.mark.parametrize(
    ("day", "time", "months_on"),
    [(1, "00:00:00", 0), (15, "23:55:00", 0), (16, "00:00:00", 1), (24, "23:55:00", 1), (26, "00:00:00", 1)],
)
def test_it_takes_effect_at_the_end_of_this_month_or_of_the_next(
    stack: Stack, day: int, time: str, months_on: int
) -> None:
    rental = stack.active_contract()
    today = stack.at(day=day, time=time).date()
    procedure = rental.agree("cancellation")
    last = last_day(today)
    if months_on:
        last = last_day(last + timedelta(days=1))
    assert rental.read()["in_force_to"] == last.isoformat()
    assert procedure["due_at"] == f"{last + timedelta(days=1)}T00:00:00+09:00"


@pytest.mark.rule("RNT-9")
def test_none_is_taken_on_the_25th(stack: Stack) -> None:
    rental = stack.active_contract()
    for time in ("00:00:00", "23:55:00"):
        today = stack.at(day=25, time=time).date()
        answer = rental.ask("cancellation")
        assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-9")
        assert answer.json()["opens_at"] == f"{today + timedelta(days=1)}T00:00:00+09:00"
    stack.at(day=26, time="00:00:00")
    rental.agree("cancellation")


@pytest.mark.rule("RNT-9")
def test_once_accepted_it_is_not_accepted_again(stack: Stack) -> None:
    rental = stack.active_contract()
    stack.at(day=3)
    rental.agree("cancellation")
    answer = rental.ask("cancellation")
    assert (answer.status_code, answer.json()["rule"]) == (409, "RNT-9")


@pytest.mark.rule("RNT-8", "RNT-10", "CAL-1")
def test_the_contract_is_in_force_for_all_of_its_last_day_and_then_its_device_comes_back(
    stack: Stack,
) -> None:
    rental = stack.active_contract(support_option="support")
    today = stack.at(day=4).date()
    procedure = rental.agree("cancellation")
    stack.at(day=last_day(today).day, month=today.month, time="23:55:00")
    assert rental.state == "ending"
    assert rental.read("/support-option")["ends_on"] == last_day(today).isoformat()
    stack.at(day=1, time="00:00:00")
    found = rental.read()
    assert found["state"] == "ended"
    assert found["ended_at"] == f"{last_day(today) + timedelta(days=1)}T00:00:00+09:00"
    assert found["pending"] == [
        {"procedure_id": procedure["procedure_id"], "kind": "cancellation", "state": "awaiting_device"}
    ]
    assert rental.read("/support-option")["option"] is None
    stack.do("receive_device", rental.contract_id)
    assert rental.procedure(procedure["procedure_id"])["state"] == "closed"


@pytest.mark.rule("RNT-7")
def test_a_deposit_is_kept_by_a_contract_that_ends_with_its_twelfth_month(stack: Stack) -> None:
    rental = stack.preparing_contract(course="depocomi")
    began = stack.at(day=20)
    stack.ship(rental.contract_id)
    in_the_eleventh, in_the_twelfth = day_of_month(began, 10, 5), day_of_month(began, 11, 5)
    stack.move(in_the_eleventh)
    assert "deposit_forfeited" in effects_of(rental)
    stack.move(in_the_twelfth)
    assert "deposit_forfeited" not in effects_of(rental)


@pytest.mark.rule("RNT-7")
def test_months_paid_ahead_and_not_used_are_named(stack: Stack) -> None:
    rental = stack.preparing_contract(course="omatome")
    began = stack.at(day=1)
    stack.ship(rental.contract_id)
    stack.move(day_of_month(began, 1, 15))
    effects = rental.preview("cancellation").json()["effects"]
    (forfeit,) = [effect for effect in effects if effect["what"] == "prepaid_months_forfeited"]
    assert forfeit["amount"] == 4 * 3500


@pytest.mark.rule("CAL-4")
def test_after_the_end_everything_can_be_read_for_a_year_and_nothing_be_changed(stack: Stack) -> None:
    rental = stack.active_contract()
    today = stack.at(day=4).date()
    rental.agree("cancellation")
    stack.at(day=1)
    stack.do("receive_device", rental.contract_id)
    refusals = [
        rental.ask("cancellation"),
        rental.preview("plan_change", plan="wifi-50", course="standard"),
        rental.customer.call("PATCH", f"{rental.path}/registered-data", json={"phone": "09012345678"}),
        rental.customer.call("PATCH", f"{rental.path}/notices", json={"language": "en"}),
    ]
    assert [(answer.status_code, answer.json()["rule"]) for answer in refusals] == [(409, "CAL-4")] * 4
    a_year_on = last_day(today.replace(year=today.year + 1))
    stack.move(datetime.fromisoformat(f"{a_year_on}T23:55:00+09:00"))
    for path in ("", "/timeline", "/procedures", "/support-option"):
        rental.read(path)
    stack.at(day=1, time="00:00:00")
    assert stack.sign_in(rental.customer.login_id, rental.customer.password).status_code == 401

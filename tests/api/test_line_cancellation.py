"""Cancelling a line: everything works to the end of its last day, and nothing of it afterwards (LIN-4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.line import active_line
from tests.stack import Stack, last_day


@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize(
    ("day", "time", "months"), [(15, "23:55:00", 1), (16, "00:00:00", 2), (25, "12:00:00", 2)]
)
def test_the_last_day_is_that_of_this_month_or_the_next(
    stack: Stack, day: int, time: str, months: int
) -> None:
    line = active_line(stack)
    asked_on = stack.at(day=day, time=time).date()
    line.agree("cancellation")
    ends = last_day(asked_on)
    if months == 2:
        ends = last_day(ends + timedelta(days=1))
    assert (line.state, line.read()["in_force_to"]) == ("ending", ends.isoformat())


@pytest.mark.rule("LIN-4")
def test_everything_works_until_then_and_nothing_after_it(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    line.item(made, 300, provider="Ongaku", item="Songs", cancellation_fee=2000)
    today = stack.at(day=range(2, 12)).date()
    begins = f"{last_day(today) + timedelta(days=1)}T00:00:00+09:00"
    effects = line.preview("cancellation").json()["effects"]
    assert {(e["what"], e.get("name") or e.get("item"), e["amount"], e["at"]) for e in effects} == {
        ("contract_ends", None, None, begins),
        ("passport_id_deleted", made["name"], None, begins),
        ("monthly_item_ended", "Songs", None, begins),
        ("provider_cancellation_fee", "Songs", 2000, begins),
        ("matomete_ends", None, None, begins),
    }
    assert line.ask("cancellation").status_code == 428
    asked = line.agree("cancellation")["procedure_id"]
    assert line.refused(line.ask("cancellation", consent="x"), "RNT-9")
    stack.at(day=last_day(today).day, time="23:55:00")
    assert line.buy(made, 500).status_code == 201
    assert line.change(made["passport_id"], monthly_cap=9000).status_code == 200
    assert line.refused(line.add(), "CAL-4")
    assert line.names == {made["name"]}
    stack.at(day=1, time="00:00:00")
    assert (line.state, line.items("/passport-ids")) == ("ended", [])
    closed = line.procedure(asked)
    assert (closed["state"], closed["waiting_on"]) == ("closed", "nobody")
    assert made["name"] not in str(closed)
    assert line.buy(made, 100).status_code == 403
    assert line.refused(line.add(), "CAL-4")
    assert line.change(made["passport_id"], monthly_cap=1).status_code in (404, 409)
    assert len(line.items("/purchases")) == 2
    assert active_line(stack).add(made["name"]).status_code == 201
    assert line.customer.sign_in().status_code == 201


@pytest.mark.rule("LIN-4")
def test_twelve_months_after_the_end_nobody_signs_in_any_more(stack: Stack) -> None:
    line = active_line(stack)
    stack.at(day=range(2, 12))
    line.agree("cancellation")
    ended = stack.at(day=1, time="00:00:00")
    stack.move(ended.replace(year=ended.year + 1) - timedelta(minutes=5))
    assert line.customer.sign_in().status_code == 201
    stack.move(ended.replace(year=ended.year + 1))
    assert line.customer.sign_in().status_code == 401

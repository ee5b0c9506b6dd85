"""When a collection takes its steps, to the second, and what a payment is for."""

from datetime import date
from typing import Any

import pytest

from rules import collection, conversion, passport_id, policy
from rules.collection import OpenBill
from rules.facts import Contract, Procedure
from rules.figures import Collection
from tests.rules.cases import POLICY, at
from tests.rules.lines import line, pending, refused, verdict

DUE = date(2026, 7, 31)


def bill(period: str, left: int) -> OpenBill:
    return OpenBill(period=period, due_on=DUE, left=left)


def owing(stage: str = "unpaid", due_on: str = "2026-07-31", **facts: Any) -> Contract:
    """A line with an unpaid bill, as its timers left it."""
    procedure = Procedure(
        policy=policy.current_digest(),
        procedure_id="p-c",
        kind="collection",
        state=stage,
        waiting_on="customer",
        data={"period": "2026-06", "due_on": due_on, "left": 5000, "disclosed": False},
    )
    return line(procedures=[procedure], **facts)


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("state", "days", "then"),
    [
        ("unpaid", 1, "2026-08-01"),
        ("carried_over", 31, "2026-08-31"),
        ("suspension_notice", 46, "2026-09-15"),
        ("suspended", 76, "2026-10-15"),
        ("termination_notice", 91, "2026-10-30"),
    ],
)
def test_the_steps_come_1_30_15_30_and_15_days_on_at_midnight(state: str, days: int, then: str) -> None:
    assert collection.step_at(state, DUE, POLICY) == at(f"{then} 00:00:00")
    assert (date.fromisoformat(then) - DUE).days == days


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("due_on", "terminated"),
    [("2028-01-31", "2028-05-01"), ("2027-01-31", "2027-05-02"), ("2027-02-28", "2027-05-30")],
)
def test_days_are_counted_over_leap_days_too(due_on: str, terminated: str) -> None:
    found = collection.step_at("termination_notice", date.fromisoformat(due_on), POLICY)
    assert found == at(f"{terminated} 00:00:00")


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize("state", ["terminated", "paid"])
def test_nothing_follows_where_it_is_over(state: str) -> None:
    assert collection.step_at(state, DUE, POLICY) is None
    assert collection.next_due(state, DUE, False, POLICY) is None


@pytest.mark.rule("MAT-12")
def test_purchases_are_disclosed_sixty_days_after_the_due_date() -> None:
    assert collection.disclosed_at(DUE, POLICY) == at("2026-09-29 00:00:00")
    assert collection.next_due("suspended", DUE, False, POLICY) == at("2026-09-29 00:00:00")
    assert collection.next_due("suspended", DUE, True, POLICY) == at("2026-10-15 00:00:00")


@pytest.mark.rule("MAT-12")
@pytest.mark.parametrize(("days", "fits"), [(1, True), (91, True), (92, False)])
def test_a_policy_discloses_no_later_than_it_terminates(days: int, fits: bool) -> None:
    figures = POLICY.collection.model_dump() | {"disclosed_after_days": days}
    if fits:
        Collection.model_validate(figures)
    else:
        with pytest.raises(ValueError, match="while the bill is collected"):
            Collection.model_validate(figures)


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("now", "state", "buys"),
    [
        ("2026-09-14 23:59:59", "active", True),
        ("2026-09-15 00:00:00", "suspended", False),
        ("2026-10-29 23:59:59", "suspended", False),
        ("2026-10-30 00:00:00", "ended", False),
    ],
)
def test_the_suspension_counts_from_its_instant_whether_or_not_a_timer_has_fired(
    now: str, state: str, buys: bool
) -> None:
    found = passport_id.state_at(owing(), at(now)), passport_id.suspended(owing(), at(now)) is None
    assert found == (state, buys)


@pytest.mark.rule("BIL-3")
def test_a_line_that_is_ending_is_blocked_but_stays_ending() -> None:
    contract = owing("suspended", state="ending", in_force_to=date(2026, 9, 30))
    no = passport_id.suspended(contract, at("2026-09-20 12:00:00"))
    assert no and (no.rule, no.reason) == ("BIL-3", "suspended")
    assert passport_id.state_at(contract, at("2026-09-20 12:00:00")) == "ending"
    assert passport_id.not_in_force(contract, at("2026-09-20 12:00:00")) is None


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("amount", "shares", "over"),
    [
        (1, [("2026-06", 1, False)], 0),
        (4999, [("2026-06", 4999, False)], 0),
        (5000, [("2026-06", 5000, True)], 0),
        (5001, [("2026-06", 5000, True), ("2026-04", 1, False)], 0),
        (8000, [("2026-06", 5000, True), ("2026-04", 3000, True)], 0),
        (8500, [("2026-06", 5000, True), ("2026-04", 3000, True), ("2026-05", 500, False)], 0),
        (9100, [("2026-06", 5000, True), ("2026-04", 3000, True), ("2026-05", 1000, True)], 100),
    ],
)
def test_a_payment_is_for_its_own_bill_first_then_for_the_oldest(
    amount: int, shares: list[tuple[str, int, bool]], over: int
) -> None:
    bills = [bill("2026-05", 1000), bill("2026-06", 5000), bill("2026-04", 3000)]
    found, left = collection.shares(amount, "2026-06", bills)
    assert [(share.period, share.amount, share.paid) for share in found] == shares
    assert left == over


@pytest.mark.rule("BIL-3")
def test_a_payment_for_a_bill_that_is_paid_is_for_the_oldest_that_is_not() -> None:
    assert collection.shares(700, "2026-03", [bill("2026-05", 1000)])[0][0].period == "2026-05"
    assert collection.shares(700, "2026-03", []) == ([], 700)


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(("paid", "taken"), [("2026-08-02 23:59:59", True), ("2026-08-03 00:00:00", False)])
def test_no_payment_is_dated_later_than_today(paid: str, taken: bool) -> None:
    no = collection.cannot_take(line(number=3), 3, at(paid), at("2026-08-02 09:00:00"))
    assert (no is None) == taken
    assert no is None or (no.rule, no.opens_at) == ("BIL-3", at("2026-08-03 00:00:00"))


@pytest.mark.rule("BIL-3")
def test_bills_that_were_read_before_something_happened_are_read_again() -> None:
    no = collection.cannot_take(line(number=4), 3, at("2026-08-02 09:00:00"), at("2026-08-02 09:00:00"))
    assert no and (no.rule, no.reason) == ("", "outdated")


@pytest.mark.rule("CAL-4")
@pytest.mark.rule("COL-2")
def test_while_suspended_no_number_is_taken_up_but_one_that_was_is_switched_over() -> None:
    taken = pending("conversion", "taken_up"), pending("conversion", "number_issued")
    for procedure, event, rule in ((taken[0], "switch_over", "ok"), (taken[1], "take_up", "CAL-4")):
        contract = line(state="suspended", procedures=[procedure])
        no = conversion.cannot_advance(contract, procedure.procedure_id, event)
        assert (no.rule if no else "ok") == rule


@pytest.mark.rule("CAL-4")
def test_a_refusal_beside_a_suspension_says_what_to_do() -> None:
    suspended = pending("collection", "suspended")
    no = refused("move", procedures=[suspended], state="suspended")
    assert (no.rule, no.reason) == ("CAL-4", "beside_suspended")
    assert verdict("cancellation", procedures=[suspended], state="suspended") == "ok"

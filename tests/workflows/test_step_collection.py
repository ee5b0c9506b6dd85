"""Collection: an unpaid bill to its end, told by dates; payments at every moment, several bills at once."""

from datetime import date

import pytest

from rules.change import Change, Money
from rules.refusal import Refusal
from tests.rules.lines import FULL
from tests.workflows.life import Life, in_force, line_in_force

JUNE = ("2026-06", "2026-07-31")
STEPS = [
    ("2026-08-01", "carried_over", "active"),
    ("2026-08-31", "suspension_notice", "active"),
    ("2026-09-15", "suspended", "suspended"),
    ("2026-10-15", "termination_notice", "suspended"),
    ("2026-10-30", "terminated", "ended"),
]


def owing(life: Life | None = None) -> Life:
    """A line whose bill of June was not paid on 25 July."""
    life = life or line_in_force()
    life.unpaid("2026-07-25 06:00:00", *JUNE)
    return life


def money(change: Change) -> Money:
    assert change.money
    return change.money


def moneys(life: Life) -> list[Money]:
    return [change.money for change in life.changes if change.money]


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(("day", "state", "contract"), STEPS)
def test_each_step_comes_at_midnight_of_its_day_and_not_a_second_before(
    day: str, state: str, contract: str
) -> None:
    life = owing()
    yesterday = date.fromordinal(date.fromisoformat(day).toordinal() - 1)
    life.wait(f"{yesterday} 23:59:59")
    assert (f"{day} 00:00", f"collection_{state}") not in life.told()
    life.wait(f"{day} 00:00:00")
    assert (f"{day} 00:00", f"collection_{state}") in life.told()
    assert life.contract.state == contract


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("BIL-4")
def test_a_bill_that_nobody_pays_leads_to_the_end_with_a_notice_at_each_step() -> None:
    life = owing()
    life.wait("2027-01-01 00:00:00")
    assert life.sent()[-5:] == [
        ("2026-08-01", "carried_over_invoice"),
        ("2026-08-31", "suspension_notice"),
        ("2026-09-15", "suspended"),
        ("2026-10-15", "termination_notice"),
        ("2026-10-30", "terminated"),
    ]
    told = [delivery.data for delivery in life.deliveries[-5:]]
    assert {(data["period"], data["amount"]) for data in told} == {("2026-06", 5000)}
    assert [list(data.values())[2:] for data in told] == [
        ["2026-08-30"],
        ["2026-09-15"],
        ["2026-09-15"],
        ["2026-10-30"],
        ["2026-10-30"],
    ]
    assert (life.states(), life.due(), life.contract.blocks) == ({}, None, [])


@pytest.mark.rule("BIL-3")
def test_the_block_lasts_from_the_suspension_to_the_end() -> None:
    life = owing()
    life.wait("2027-01-01 00:00:00")
    found = [(m.blocked, m.unblocked) for m in moneys(life) if m.blocked or m.unblocked]
    assert [[str(at)[:16] for at in (begun, ended) if at] for begun, ended in found] == [
        ["2026-09-15 00:00"],
        ["2026-10-30 00:00"],
    ]


@pytest.mark.rule("MAT-12")
def test_what_is_unpaid_after_sixty_days_is_disclosed_once() -> None:
    life = owing()
    life.wait("2026-09-28 23:59:59")
    assert not [m for m in moneys(life) if m.disclosed]
    life.wait("2027-01-01 00:00:00")
    (told,) = [m.disclosed for m in moneys(life) if m.disclosed]
    assert {period: f"{at:%Y-%m-%d %H:%M}" for period, at in told.items()} == {"2026-06": "2026-09-29 00:00"}


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("now", "was", "resumed"),
    [
        ("2026-07-25 06:00:01", "unpaid", False),
        ("2026-07-31 23:59:59", "unpaid", False),
        ("2026-08-01 00:00:00", "carried_over", False),
        ("2026-08-31 00:00:00", "suspension_notice", False),
        ("2026-09-14 23:59:59", "suspension_notice", False),
        ("2026-09-15 00:00:00", "suspended", True),
        ("2026-10-29 23:59:59", "termination_notice", True),
    ],
)
def test_payment_at_any_moment_before_termination_ends_it(now: str, was: str, resumed: bool) -> None:
    life = owing()
    change = life.pay(now, "2026-06", 5000)
    pay = next(entry for entry in change.entries if entry.what == "collection_paid")
    assert (pay.old, pay.new) == (was, "paid")
    assert [entry.what for entry in change.entries if entry.what == "contract_resumed"] == (
        ["contract_resumed"] if resumed else []
    )
    assert (life.contract.state, life.contract.blocks, life.states(), life.due()) == ("active", [], {}, None)
    assert money(change).paid == {"2026-06": date.fromisoformat(now[:10])}
    life.wait("2027-01-01 00:00:00")
    assert life.contract.state == "active"


@pytest.mark.rule("BIL-3")
def test_a_payment_at_the_instant_of_termination_comes_after_it_but_is_kept() -> None:
    life = owing()
    change = life.pay("2026-10-30 00:00:00", "2026-06", 5000)
    assert life.contract.state == "ended"
    assert [credit.amount for credit in money(change).credits] == [5000]
    assert money(change).paid == {"2026-06": date(2026, 10, 30)}


@pytest.mark.rule("BIL-3")
def test_part_payments_lower_what_is_owed_until_nothing_is_left() -> None:
    life = owing()
    first = life.pay("2026-08-02 09:00:00", "2026-06", 3000)
    assert (money(first).paid, life.states()) == ({}, {"collection": "carried_over"})
    life.wait("2026-09-15 00:00:00")
    assert [d.data["amount"] for d in life.deliveries[-2:]] == [2000, 2000]
    assert life.contract.state == "suspended"
    life.pay("2026-09-16 09:00:00", "2026-06", 1999)
    assert life.contract.state == "suspended"
    last = life.pay("2026-09-16 09:00:01", "2026-06", 1, paid="2026-09-15 18:00:00")
    assert (life.contract.state, [*money(last).paid]) == ("active", ["2026-06"])


@pytest.mark.rule("BIL-3")
def test_what_is_over_goes_to_the_oldest_other_bill_and_the_rest_is_noted() -> None:
    life = owing()
    life.unpaid("2026-08-25 06:00:00", "2026-07", "2026-08-31", 1000)
    change = life.pay("2026-08-26 09:00:00", "2026-07", 6500)
    credits = [(credit.period, credit.kind, credit.amount) for credit in money(change).credits]
    assert credits == [
        ("2026-07", "payment", 1000),
        ("2026-06", "payment", 5000),
        ("2026-07", "over", 500),
    ]
    assert set(money(change).paid) == {"2026-06", "2026-07"}
    assert life.states() == {}
    assert [e.data["amount"] for e in change.entries if e.what == "payment_over"] == [500]


@pytest.mark.rule("BIL-3")
def test_with_two_bills_the_service_is_suspended_while_either_demands_it() -> None:
    life = owing()
    life.unpaid("2026-08-25 06:00:00", "2026-07", "2026-08-31", 1000)
    life.wait("2026-10-16 00:00:00")  # the second one suspends on the 16th
    states = [procedure.state for procedure in life.contract.procedures]
    assert states == ["termination_notice", "suspended"]
    life.pay("2026-10-16 09:00:00", "2026-06", 5000)
    assert (life.contract.state, life.contract.blocks) == ("suspended", ["collection"])
    life.pay("2026-10-16 09:00:01", "2026-07", 1000)
    assert (life.contract.state, life.contract.blocks) == ("active", [])
    assert [bool(m.unblocked) for m in moneys(life) if m.credits] == [False, True]
    assert [bool(m.blocked) for m in moneys(life)].count(True) == 1


@pytest.mark.rule("BIL-3")
def test_one_bill_ends_the_contract_and_the_other_runs_on_without_a_word_of_suspension() -> None:
    life = owing()
    life.unpaid("2026-10-25 06:00:00", "2026-09", "2026-10-31", 1000)
    life.wait("2027-03-01 00:00:00")
    assert life.contract.state == "ended"
    assert life.sent()[-2:] == [("2026-10-30", "terminated"), ("2026-11-01", "carried_over_invoice")]
    assert [what for _, what in life.told()].count("collection_after_the_end") == 4
    assert life.contract.blocks == []


@pytest.mark.rule("BIL-3")
def test_a_contract_that_has_ended_owes_on_and_is_not_suspended() -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.unpaid("2026-07-25 06:00:00", *JUNE)
    life.wait("2026-10-01 00:00:00")
    assert (life.contract.state, life.contract.blocks) == ("ended", [])
    assert life.states() == {"collection": "suspended"}
    life.pay("2026-10-02 09:00:00", "2026-06", 5000)
    assert (life.contract.state, life.states()) == ("ended", {})


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("LIN-4")
def test_a_suspended_line_can_be_cancelled_and_stays_blocked_while_it_is_ending() -> None:
    life = owing()
    life.ask("2026-09-20 12:00:00", "cancellation", {})
    assert (life.contract.state, life.contract.blocks) == ("ending", ["collection"])
    life.wait("2026-10-29 00:00:00")
    assert life.contract.state == "ending"
    life.wait("2026-10-30 00:00:00")  # the bill ends it a day before the cancellation would
    assert (life.contract.state, life.contract.in_force_to) == ("ended", date(2026, 10, 29))
    assert (life.states(), life.changes[-1].wiped) == ({}, True)


@pytest.mark.rule("BIL-3")
def test_a_line_that_is_ending_is_blocked_and_paid_goes_on_to_its_end() -> None:
    life = owing()
    life.ask("2026-09-10 12:00:00", "cancellation", {})
    life.wait("2026-09-15 00:00:00")
    assert (life.contract.state, life.contract.blocks) == ("ending", ["collection"])
    life.pay("2026-09-16 00:00:00", "2026-06", 5000)
    assert (life.contract.state, life.contract.blocks) == ("ending", [])
    life.wait("2026-10-01 00:00:00")
    assert life.contract.state == "ended"


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("LIN-4")
def test_with_its_end_a_line_loses_all_that_hangs_on_it_in_the_same_change() -> None:
    life = owing()
    life.holdings = FULL
    life.ask("2026-08-02 12:00:00", "move", {})
    life.wait("2026-10-30 00:00:00")
    change = life.changes[-1]
    assert (change.wiped, change.contract.state) == (True, "ended")
    assert {entry.what for entry in change.entries} >= {"collection_terminated", "move_superseded"}
    assert (life.contract.tasks, life.states(), life.contract.in_force_to) == ([], {}, date(2026, 10, 29))


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("MAT-9")
@pytest.mark.rule("MAT-10")
def test_suspension_and_restriction_are_lifted_each_by_its_own_way() -> None:
    life = owing()
    life.ask("2026-08-02 12:00:00", "restriction", {"passport_id": "i-1"})
    life.wait("2026-09-15 00:00:00")
    assert (life.contract.restricted, life.contract.blocks) == (["i-1"], ["collection"])
    life.ask("2026-09-16 12:00:00", "unrestriction", {"passport_id": "i-1"})
    life.act("2026-09-17 12:00:00", "send_form")
    life.act("2026-09-18 12:00:00", "receive_form")
    life.act("2026-09-19 12:00:00", "review_form", "approve")
    assert (life.contract.restricted, life.contract.blocks) == ([], ["collection"])
    life.ask("2026-09-20 12:00:00", "restriction", {"passport_id": "i-1"})
    life.pay("2026-09-21 12:00:00", "2026-06", 5000)
    assert (life.contract.restricted, life.contract.blocks) == (["i-1"], [])


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("RNT-10")
def test_a_rental_that_is_terminated_goes_the_way_of_a_cancelled_one() -> None:
    life = owing(in_force())
    life.wait("2026-10-30 00:00:00")
    assert (life.contract.state, life.contract.in_force_to) == ("ended", date(2026, 10, 29))
    assert (life.states(), life.tasks()) == ({"cancellation": "awaiting_device"}, ["receive_device"])
    assert life.due() == "2026-11-09 00:00"  # due on 8 November, ten days after the 29th
    life.wait("2026-11-23 00:00:00")
    assert life.owed()[-1] == ("2026-11-23", "device", "device", 20000)
    life.act("2026-12-01 12:00:00", "receive_device")
    assert life.states() == {}


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("since", "returned"), [("2026-04-01 09:00:00", []), ("2025-10-15 09:00:00", [-20000])]
)
def test_a_deposit_is_forfeited_where_the_contract_ends_inside_its_months(
    since: str, returned: list[int]
) -> None:
    life = in_force(course="depocomi")
    life.contract.in_force_from = date.fromisoformat(since[:10])
    owing(life).wait("2026-10-30 00:00:00")
    assert [charge.amount for charge in life.charges if charge.item == "deposit_returned"] == returned


@pytest.mark.rule("BIL-3")
def test_termination_overtakes_a_plan_change_and_its_successor_begins_all_the_same() -> None:
    life = owing(in_force())
    life.ask("2026-09-10 12:00:00", "plan_change", {"plan": "wifi-100", "course": "standard"})
    life.wait("2026-09-15 00:00:00")
    assert (life.contract.state, life.contract.blocks) == ("ending", ["collection"])
    successor = life.successor()
    successor.wait("2026-10-01 00:00:00")
    assert (successor.contract.state, successor.contract.blocks) == ("active", [])
    life.wait("2026-10-01 00:00:00")
    assert (life.contract.state, life.contract.blocks) == ("ended", [])


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("CAL-4")
def test_while_suspended_a_plan_change_is_refused_and_a_new_card_is_not() -> None:
    life = owing(in_force())
    no = life.judge("2026-10-01 00:00:00", "plan_change", {"plan": "wifi-100", "course": "standard"})
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("CAL-4", "beside_suspended")
    card = {"payment": {"method": "credit_card", "payment_id": "pay-2"}}
    assert life.judge("2026-10-01 00:00:00", "payment_method", card) == []


@pytest.mark.rule("COL-3")
@pytest.mark.rule("BIL-3")
def test_a_line_that_is_switched_over_while_suspended_is_converted_and_owes_on() -> None:
    life = owing()
    life.ask("2026-09-10 12:00:00", "conversion", {})
    number = life.pending("conversion")
    assert life.advance("2026-09-11 12:00:00", number, "take_up") is None
    assert life.advance("2026-09-20 12:00:00", number, "switch_over") is None
    assert (life.contract.state, life.contract.blocks) == ("converted", [])
    assert life.states() == {"collection": "suspended"}
    life.wait("2026-12-01 00:00:00")
    assert (life.contract.state, life.states()) == ("converted", {})


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("COL-2")
def test_an_unpaid_bill_ends_a_line_whose_number_was_taken_up_and_the_number_with_it() -> None:
    life = owing()
    life.ask("2026-09-14 10:00:00", "conversion", {})
    number = life.pending("conversion")
    assert life.advance("2026-09-14 11:00:00", number, "take_up") is None
    life.wait("2026-10-30 00:00:00")
    assert (life.contract.state, life.states()) == ("ended", {})
    assert ("2026-10-30 00:00", "conversion_lapsed") in life.told()
    no = life.advance("2026-10-30 10:00:00", number, "switch_over")
    assert no and (no.rule, no.reason) == ("COL-2", "number_not_taken_up")


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("CAL-3")
def test_a_settlement_that_came_late_leads_to_the_same_dates() -> None:
    punctual, late = owing(), line_in_force()
    late.unpaid("2026-08-03 11:00:00", *JUNE, at_="2026-07-25 06:00:00")
    for life in (punctual, late):
        life.wait("2026-12-01 00:00:00")
    assert punctual.told() == late.told()
    assert punctual.sent() == late.sent()


@pytest.mark.rule("BIL-3")
def test_the_same_bill_is_collected_once() -> None:
    life = owing()
    life.unpaid("2026-07-26 06:00:00", *JUNE)
    assert life.states() == {"collection": "unpaid"}
    assert len(life.contract.procedures) == 1

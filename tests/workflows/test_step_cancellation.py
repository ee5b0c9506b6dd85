"""A cancellation from its acceptance to the device back on the shelf."""

from datetime import date

import pytest

from rules.refusal import Refusal
from tests.rules.cases import CARD, STANDARD, at
from tests.workflows.life import Life, in_force


def cancelled(now: str = "2026-06-10 12:00:00") -> Life:
    life = in_force()
    life.ask(now, "cancellation", {})
    return life


@pytest.mark.rule("RNT-8")
@pytest.mark.parametrize(
    ("now", "last_day", "ends"),
    [
        ("2026-06-15 23:59:59", date(2026, 6, 30), "2026-07-01 00:00"),
        ("2026-06-16 00:00:00", date(2026, 7, 31), "2026-08-01 00:00"),
        ("2026-12-31 23:59:59", date(2027, 1, 31), "2027-02-01 00:00"),
        ("2028-01-16 00:00:00", date(2028, 2, 29), "2028-03-01 00:00"),
    ],
)
def test_the_last_day_is_written_at_once_and_the_contract_goes_on_to_it(
    now: str, last_day: date, ends: str
) -> None:
    life = cancelled(now)
    assert (life.contract.state, life.contract.in_force_to, life.due()) == ("ending", last_day, ends)
    life.wait(f"{last_day} 23:59:59")
    assert life.contract.state == "ending"
    life.wait(f"{ends}:00")
    assert life.contract.state == "ended"


@pytest.mark.rule("RNT-8")
def test_it_begins_no_other_contract_and_costs_nothing() -> None:
    life = cancelled()
    life.wait("2026-07-01 00:00:00")
    assert life.contract.successor_contract_id is None
    assert [change.successor for change in life.changes if change.successor] == []
    assert life.owed() == []
    assert "wake" not in [kind for _, kind in life.sent()]


@pytest.mark.rule("RNT-9")
@pytest.mark.parametrize("now", ["2026-06-10 12:00:01", "2026-06-30 23:59:59"])
def test_it_cannot_be_asked_for_twice(now: str) -> None:
    no = cancelled().judge(now, "cancellation", {})
    assert isinstance(no, Refusal) and no.rule == "RNT-9"


@pytest.mark.rule("CAL-4")
def test_no_plan_change_and_no_option_while_the_contract_ends() -> None:
    life = cancelled()
    change = life.judge("2026-06-11 12:00:00", "plan_change", STANDARD)
    option = life.judge("2026-06-11 12:00:00", "support_option", {"option": "support"})
    assert isinstance(change, Refusal) and change.rule == "CAL-4"
    assert isinstance(option, Refusal) and option.rule == "CAL-4"


@pytest.mark.rule("CAL-4")
def test_the_card_can_be_changed_while_the_contract_ends() -> None:
    life = cancelled()
    life.ask("2026-06-30 23:59:59", "payment_method", CARD)
    life.outside("2026-07-01 00:00:20", "register_card", "card_taken")
    assert life.contract.state == "ended"
    assert life.contract.payment_id == "pay-2"


@pytest.mark.rule("RNT-10")
def test_the_whole_life_of_a_device_that_never_comes_in_time() -> None:
    life = cancelled()
    life.act("2026-08-31 23:59:59", "receive_device")
    assert life.told()[-7:] == [
        ("2026-06-10 12:00", "cancellation_accepted"),
        ("2026-06-10 12:00", "contract_ending"),
        ("2026-07-01 00:00", "contract_ended"),
        ("2026-07-01 00:00", "cancellation_awaiting_device"),
        ("2026-07-11 00:00", "cancellation_device_overdue"),
        ("2026-07-25 00:00", "cancellation_device_charged"),
        ("2026-08-31 23:59", "cancellation_closed"),
    ]
    assert life.owed() == [
        ("2026-07-25", "device", "device", 20000),
        ("2026-08-31", "correction", "device", -20000),
    ]


@pytest.mark.rule("RNT-10")
@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-07-01 00:00:00", "awaiting_device"),
        ("2026-07-10 23:59:59", "awaiting_device"),
        ("2026-07-11 00:00:00", "device_overdue"),
        ("2026-07-24 23:59:59", "device_overdue"),
        ("2026-07-25 00:00:00", "device_charged"),
        ("2030-01-01 00:00:00", "device_charged"),
    ],
)
def test_the_device_is_waited_for_by_the_calendar(now: str, state: str) -> None:
    life = cancelled()
    life.wait(now)
    assert life.states() == {"cancellation": state}
    assert life.tasks() == ["receive_device"]


@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("asked", "returned"), [("2027-02-15 23:59:59", False), ("2027-02-16 00:00:00", True)]
)
def test_a_deposit_comes_back_where_the_contract_ends_with_its_twelfth_month(
    asked: str, returned: bool
) -> None:
    life = in_force("2026-04-30 23:59:59", course="depocomi")
    effects = life.ask(asked, "cancellation", {})
    life.wait("2027-06-01 00:00:00")
    back = [charge for charge in life.owed() if charge[2] == "deposit_returned"]
    assert back == ([("2027-03-31", "deposit", "deposit_returned", -20000)] if returned else [])
    assert ("deposit_forfeited" in [effect.what for effect in effects]) != returned


@pytest.mark.rule("RNT-7")
def test_unused_months_paid_ahead_are_not_given_back() -> None:
    life = in_force(course="omatome")
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.wait("2026-07-01 00:00:00")
    assert life.owed() == [
        ("2026-04-01", "fee", "prepaid_months", 6 * 2800),
        ("2026-06-30", "fee", "prepaid_months_forfeited", 0),
    ]


@pytest.mark.rule("CAL-3")
def test_deadlines_missed_in_an_outage_are_kept_in_their_order_and_with_their_own_dates() -> None:
    life = cancelled()
    before = len(life.changes)
    life.wait("2026-08-20 09:00:00")
    kept = life.changes[before:]
    assert [change.entries[0].at for change in kept] == [
        at("2026-07-01 00:00:00"),
        at("2026-07-11 00:00:00"),
        at("2026-07-25 00:00:00"),
    ]
    assert {change.recorded_at for change in kept} == {at("2026-08-20 09:00:00")}
    assert [change.contract.number for change in kept] == [before + 1, before + 2, before + 3]
    assert life.contract.ended_at == at("2026-07-01 00:00:00")
    assert life.owed() == [("2026-07-25", "device", "device", 20000)]


@pytest.mark.rule("CAL-3")
def test_a_request_after_an_outage_meets_the_contract_as_it_then_is() -> None:
    life = cancelled()
    number = life.contract.number
    no = life.judge("2026-07-01 00:00:00", "payment_method", CARD)
    assert isinstance(no, Refusal) and no.reason == "contract_over"
    assert (life.contract.state, life.contract.number) == ("ending", number), "judging changes nothing"

"""A plan change from its acceptance to the device back on the shelf, and the contract that it begins."""

from datetime import date
from typing import Any

import pytest

from rules import beside
from rules.refusal import Refusal
from tests.rules.cases import CARD, STANDARD, at
from tests.workflows.life import Life, in_force
from workflows import visible


def changed() -> Life:
    """A rental whose plan change was accepted on 15 June 2026."""
    life = in_force()
    life.ask("2026-06-15 23:59:59", "plan_change", STANDARD)
    return life


@pytest.mark.rule("RNT-3")
@pytest.mark.rule("RNT-4")
def test_accepted_it_sets_the_end_of_the_old_contract_and_begins_a_new_one() -> None:
    old = changed()
    new = old.successor().contract
    assert (old.contract.state, old.contract.in_force_to) == ("ending", date(2026, 6, 30))
    assert old.contract.successor_contract_id == new.contract_id
    assert (new.state, new.in_force_from, new.plan, new.course) == (
        "preparing",
        date(2026, 7, 1),
        "wifi-100",
        "standard",
    )
    assert new.predecessor_contract_id == old.contract.contract_id
    assert [task.kind for task in new.tasks] == ["report_shipped"]
    assert (old.states(), old.due(), old.tasks()) == ({"plan_change": "accepted"}, "2026-07-01 00:00", [])


@pytest.mark.rule("RNT-3")
def test_it_is_one_act_written_in_one_transaction() -> None:
    old = changed()
    assert old.changes[-1].successor is not None
    assert old.changes[-1].contract.state == "ending"


@pytest.mark.rule("RNT-5")
@pytest.mark.rule("RNT-18")
def test_the_fee_stands_on_the_successor_s_first_statement() -> None:
    old = changed()
    fee = old.charges[-1]
    assert fee.contract_id == old.contract.successor_contract_id
    assert (fee.on, fee.item, fee.amount) == (date(2026, 7, 1), "plan_change", 1500)


@pytest.mark.rule("RNT-3")
@pytest.mark.rule("CAL-1")
def test_until_the_last_second_of_the_month_nothing_has_ended() -> None:
    old = changed()
    old.wait("2026-06-30 23:59:59")
    assert old.contract.state == "ending"
    old.wait("2026-07-01 00:00:00")
    assert old.contract.state == "ended"
    assert old.contract.ended_at == at("2026-07-01 00:00:00")
    assert old.states() == {"plan_change": "awaiting_device"}
    assert old.tasks() == ["receive_device"]
    assert old.contract.procedures[0].waiting_on == "customer"


@pytest.mark.rule("RNT-3")
@pytest.mark.parametrize("shipped", [None, "2026-06-20 10:00:00"])
def test_the_successor_is_in_force_from_the_1st_whether_shipped_or_not(shipped: str | None) -> None:
    new = changed().successor()
    if shipped:
        new.act(shipped, "report_shipped")
        assert new.contract.state == "preparing"
    new.wait("2026-06-30 23:59:59")
    assert new.contract.state == "preparing"
    new.wait("2026-07-01 00:00:00")
    assert (new.contract.state, new.contract.in_force_from) == ("active", date(2026, 7, 1))
    assert new.contract.started_at == at("2026-07-01 00:00:00")


@pytest.mark.rule("RNT-3")
def test_a_successor_that_was_shipped_waits_for_its_month_and_for_nobody_else() -> None:
    new = changed().successor()
    assert visible.shown(new.contract)[2] == ("operator",)
    new.act("2026-06-20 10:00:00", "report_shipped")
    assert visible.shown(new.contract)[2] == ("calendar",)
    assert new.changes[-1].contract.procedures[0].waiting_on == "calendar"
    new.wait("2026-07-01 00:00:00")
    assert visible.shown(new.contract)[2] == ()


def test_shipping_can_be_reported_after_the_1st() -> None:
    new = changed().successor()
    new.wait("2026-07-01 00:00:00")
    new.act("2026-07-03 10:00:00", "report_shipped")
    assert new.told()[-1] == ("2026-07-03 10:00", "device_shipped")
    assert new.contract.in_force_from == date(2026, 7, 1)
    assert not new.contract.tasks and not new.contract.procedures


@pytest.mark.rule("RNT-3", "RNT-10")
def test_a_device_has_to_come_back_whether_or_not_anybody_reported_it_as_sent() -> None:
    new = changed().successor()
    effects = new.ask("2026-07-02 12:00:00", "cancellation", {})
    assert "device_return_due" in [effect.what for effect in effects]
    new.wait("2026-09-01 00:00:00")
    told = [(at, what) for at, what in new.told() if what.startswith("cancellation_device")]
    assert told == [
        ("2026-08-11 00:00", "cancellation_device_overdue"),
        ("2026-08-25 00:00", "cancellation_device_charged"),
    ]
    new.act("2026-09-02 10:00:00", "receive_device")
    assert new.told()[-1][1] == "cancellation_closed" and not new.contract.tasks
    assert sum(charge.amount for charge in new.charges if charge.item == "device") == 0


def test_the_end_of_the_old_contract_wakes_the_new_one() -> None:
    old = changed()
    old.wait("2026-07-01 00:00:00")
    woken = old.deliveries[-1]
    assert (woken.kind, woken.data) == ("wake", {"contract_id": old.contract.successor_contract_id})


@pytest.mark.rule("RNT-10")
def test_a_device_that_comes_in_time_closes_the_case_and_costs_nothing() -> None:
    old = changed()
    old.act("2026-07-10 23:59:59", "receive_device")
    assert not old.contract.procedures and not old.contract.tasks
    assert old.told()[-1][1] == "plan_change_closed"
    assert [charge.item for charge in old.charges] == ["plan_change"]
    assert "return_reminder" not in [kind for _, kind in old.sent()]
    assert old.due() is None


@pytest.mark.rule("RNT-10")
def test_overdue_from_the_11th_charged_on_the_25th_and_the_charge_taken_back() -> None:
    old = changed()
    old.wait("2026-07-10 23:59:59")
    assert (old.states(), old.due()) == ({"plan_change": "awaiting_device"}, "2026-07-11 00:00")
    old.wait("2026-07-11 00:00:00")
    assert (old.states(), old.due()) == ({"plan_change": "device_overdue"}, "2026-07-25 00:00")
    assert old.sent()[-1] == ("2026-07-11", "return_reminder")
    assert old.deliveries[-1].data == {"due_on": "2026-07-10", "charge_on": "2026-07-25", "amount": 20000}
    old.wait("2026-07-24 23:59:59")
    assert old.states() == {"plan_change": "device_overdue"}
    old.wait("2026-07-25 00:00:00")
    assert (old.states(), old.due()) == ({"plan_change": "device_charged"}, None)
    assert old.sent()[-1] == ("2026-07-25", "device_charge")
    assert old.owed()[-1] == ("2026-07-25", "device", "device", 20000)
    assert old.contract.procedures[0].waiting_on == "nobody"
    old.act("2026-09-02 14:00:00", "receive_device")
    assert old.owed()[-1] == ("2026-09-02", "correction", "device", -20000)
    assert sum(charge.amount for charge in old.charges if charge.item == "device") == 0
    assert not old.contract.procedures and not old.contract.tasks


@pytest.mark.rule("RNT-10")
def test_a_device_that_comes_back_was_shipped_and_nobody_is_asked_to_ship_it_any_more() -> None:
    new = changed().successor()
    new.ask("2026-07-05 12:00:00", "cancellation", {})
    new.act("2026-08-05 12:00:00", "receive_device")
    assert beside.nothing_waits(new.contract)
    assert [(done.task_id[-14:], done.action) for done in new.changes[-1].done] == [
        ("receive-device", "done"),
        ("report-shipped", "withdrawn"),
    ]


@pytest.mark.rule("RNT-10")
def test_a_device_that_comes_on_the_24th_is_not_charged() -> None:
    old = changed()
    old.act("2026-07-24 23:59:59", "receive_device")
    assert "device" not in [charge.item for charge in old.charges]


@pytest.mark.rule("RNT-10")
def test_a_device_reported_at_the_instant_of_the_charge_comes_after_it() -> None:
    old = changed()
    old.act("2026-07-25 00:00:00", "receive_device")
    assert [(charge.kind, charge.amount) for charge in old.charges][1:] == [
        ("device", 20000),
        ("correction", -20000),
    ]


@pytest.mark.rule("RNT-6")
@pytest.mark.parametrize("now", ["2026-06-15 23:59:59", "2026-06-30 23:59:59"])
def test_it_can_be_neither_withdrawn_nor_altered(now: str) -> None:
    old = changed()
    again = old.judge(now, "plan_change", {"plan": "wifi-unlimited", "course": "standard"})
    stop = old.judge(now, "cancellation", {})
    assert isinstance(again, Refusal) and again.rule == "RNT-6"
    assert isinstance(stop, Refusal) and stop.rule == "CAL-4"


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(
    ("kind", "body"), [("plan_change", STANDARD), ("cancellation", {}), ("payment_method", CARD)]
)
def test_after_the_end_nothing_begins_on_the_old_contract(kind: str, body: dict[str, Any]) -> None:
    no = changed().judge("2026-07-01 00:00:00", kind, body)
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("CAL-4", "contract_over")


@pytest.mark.rule("RNT-18")
def test_the_successor_begins_without_support_option_and_with_its_change_to_come() -> None:
    old = in_force(support_option="support")
    old.ask("2026-05-10 12:00:00", "support_option", {"option": "support_premium"})
    old.ask("2026-06-10 12:00:00", "plan_change", STANDARD)
    new = old.successor()
    new.wait("2026-07-01 00:00:00")
    assert new.contract.options == []
    assert new.ask("2026-07-01 00:00:00", "support_option", {"option": "support"})


@pytest.mark.rule("RNT-3")
def test_the_successor_can_itself_be_changed_once_it_is_in_force() -> None:
    new = changed().successor()
    early = new.judge("2026-06-30 23:59:59", "cancellation", {})
    assert isinstance(early, Refusal) and early.rule == "CAL-4"
    new.ask("2026-07-01 00:00:00", "plan_change", {"plan": "wifi-50", "course": "standard"})
    assert new.contract.in_force_to == date(2026, 7, 31)


@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("asked", "last", "owed"),
    [
        # The eleventh month is the last: forfeited, and nothing comes back.
        ("2027-02-15 12:00:00", "2027-02-28", []),
        # The twelfth is: the deposit comes back on the last statement.
        ("2027-03-15 12:00:00", "2027-03-31", [("2027-03-31", "deposit", "deposit_returned", -20000)]),
    ],
)
def test_a_deposit_comes_back_only_after_the_twelfth_month(
    asked: str, last: str, owed: list[tuple[str, str, str, int]]
) -> None:
    old = in_force(course="depocomi")
    effects = old.ask(asked, "plan_change", STANDARD)
    old.wait("2027-04-01 00:00:00")
    assert str(old.contract.in_force_to) == last
    assert [charge for charge in old.owed() if charge[2] == "deposit_returned"] == owed
    assert ("deposit_forfeited" in [effect.what for effect in effects]) == (not owed)


@pytest.mark.rule("RNT-2")
def test_the_course_of_the_successor_is_paid_ahead_on_its_first_day() -> None:
    old = in_force()
    old.ask("2026-06-10 12:00:00", "plan_change", {"plan": "wifi-100", "course": "omatome"})
    new = old.successor()
    new.wait("2026-07-01 00:00:00")
    assert new.owed() == [("2026-07-01", "fee", "prepaid_months", 6 * 3500)]


@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("asked", "first", "overdue", "charged"),
    [
        ("2026-12-15 12:00:00", "2027-01-01 00:00", "2027-01-11 00:00", "2027-01-25 00:00"),
        ("2027-02-01 00:00:00", "2027-03-01 00:00", "2027-03-11 00:00", "2027-03-25 00:00"),
        ("2028-02-15 23:59:59", "2028-03-01 00:00", "2028-03-11 00:00", "2028-03-25 00:00"),
        ("2027-03-01 00:00:00", "2027-04-01 00:00", "2027-04-11 00:00", "2027-04-25 00:00"),
    ],
)
def test_every_date_over_the_ends_of_years_and_of_short_months(
    asked: str, first: str, overdue: str, charged: str
) -> None:
    old = in_force()
    before = len(old.entries)
    old.ask(asked, "plan_change", STANDARD)
    old.wait("2029-01-01 00:00:00")
    moved = {what: when for when, what in old.told(before)}
    assert moved["contract_ended"] == moved["plan_change_awaiting_device"] == first
    assert moved["plan_change_device_overdue"] == overdue
    assert moved["plan_change_device_charged"] == charged

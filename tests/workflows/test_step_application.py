"""From the application to the contract in force."""

from datetime import date

import pytest

from rules.facts import OptionPeriod
from tests.rules.cases import CARD, STANDARD
from tests.workflows.life import Life, applied, in_force


def test_an_application_waits_for_an_operator_and_registers_the_card() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00")
    assert life.tasks() == ["confirm_application"]
    assert life.contract.procedures[0].waiting_on == "operator"
    assert life.sent() == [("2026-03-20", "register_card")]
    assert life.due() is None


@pytest.mark.parametrize("method", ["atone", "np_invoice"])
def test_other_payment_methods_need_no_gateway(method: str) -> None:
    life = Life(applied(payment_method=method))
    life.apply("2026-03-20 10:00:00")
    assert life.sent() == []


@pytest.mark.rule("IDN-3")
def test_an_approved_application_sends_the_login_and_waits_for_the_device() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00")
    life.act("2026-03-21 11:00:00", "confirm_application", "approve")
    assert life.contract.state == "preparing"
    assert ("2026-03-21", "login") in life.sent()
    assert life.tasks() == ["report_shipped"]
    assert life.contract.in_force_from is None


def test_it_is_in_force_from_the_day_of_shipping() -> None:
    life = in_force("2026-04-03 23:59:59")
    assert life.contract.state == "active"
    assert life.contract.in_force_from == date(2026, 4, 3)
    assert not life.contract.procedures and not life.contract.tasks
    assert life.owed() == []


@pytest.mark.rule("CAL-1")
def test_shipped_at_midnight_it_is_in_force_from_the_new_day() -> None:
    assert in_force("2026-05-01 00:00:00").contract.in_force_from == date(2026, 5, 1)


@pytest.mark.rule("CAL-4")
def test_turned_down_it_is_over_and_sends_no_login() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00")
    life.act("2026-03-21 11:00:00", "confirm_application", "turn_down")
    assert life.contract.state == "turned_down"
    assert not life.contract.procedures and not life.contract.tasks
    assert [kind for _, kind in life.sent()] == ["register_card"]


def test_a_declined_card_blocks_the_contract_until_another_is_taken() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00")
    life.outside("2026-03-20 10:00:30", "register_card", "card_declined")
    assert life.contract.blocks == ["card_declined"]
    life.ask("2026-03-20 12:00:00", "payment_method", CARD)
    life.outside("2026-03-20 12:00:01", "register_card", "card_taken")
    assert life.contract.blocks == []
    assert life.contract.payment_id == "pay-2"


def test_a_card_declined_after_another_was_taken_blocks_nothing() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00")
    life.ask("2026-03-20 10:00:10", "payment_method", CARD)
    slow = life.contract.deliveries[0]
    life.contract.deliveries.reverse()
    life.outside("2026-03-20 10:00:11", "register_card", "card_taken")
    assert life.contract.deliveries == [slow]
    life.outside("2026-03-20 10:00:40", "register_card", "card_declined")
    assert life.contract.blocks == []
    assert life.contract.payment_id == "pay-2"


@pytest.mark.rule("RNT-12")
def test_a_support_option_of_the_application_begins_with_the_contract() -> None:
    life = in_force("2026-04-20 09:00:00", support_option="support_premium")
    assert life.contract.options == [
        OptionPeriod(option="support_premium", first=date(2026, 4, 20), cover_from=date(2026, 6, 1))
    ]


@pytest.mark.rule("RNT-11")
def test_it_is_not_the_one_change_of_a_contract_s_life() -> None:
    life = in_force(support_option="support")
    assert life.ask("2026-05-01 00:00:00", "support_option", {"option": None})


@pytest.mark.rule("RNT-2")
@pytest.mark.parametrize(
    ("course", "owed"),
    [
        ("standard", []),
        ("omatome", [("2026-04-01", "fee", "prepaid_months", 6 * 2800)]),
        ("depocomi", [("2026-04-01", "deposit", "deposit", 20000)]),
    ],
)
def test_what_is_paid_ahead_falls_due_with_the_first_day(
    course: str, owed: list[tuple[str, str, str, int]]
) -> None:
    assert in_force(course=course).owed() == owed


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(
    ("kind", "body"),
    [("plan_change", STANDARD), ("cancellation", {}), ("support_option", {"option": "support"})],
)
def test_nothing_but_the_payment_method_can_be_changed_before_it_is_in_force(
    kind: str, body: dict[str, str]
) -> None:
    life = Life(applied())
    life.apply("2026-03-02 10:00:00")
    found = life.judge("2026-03-03 10:00:00", kind, body)
    assert not isinstance(found, list)
    assert found.rule == "CAL-4"


def test_the_timeline_tells_it_in_order() -> None:
    assert in_force().told() == [
        ("2026-03-20 10:00", "application_accepted"),
        ("2026-03-20 10:00", "card_taken"),
        ("2026-03-21 11:00", "application_preparing"),
        ("2026-03-21 11:00", "contract_preparing"),
        ("2026-04-01 09:00", "application_active"),
        ("2026-04-01 09:00", "contract_active"),
    ]

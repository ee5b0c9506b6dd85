"""A change of payment method: the old one holds until the gateway has taken the new one."""

import pytest

from rules.refusal import Refusal
from tests.rules.cases import CARD, STANDARD
from tests.workflows.life import Life, applied, in_force


def asked(method: str = "credit_card") -> Life:
    life = in_force(payment_method=method)
    life.ask("2026-06-10 12:00:00", "payment_method", CARD)
    return life


@pytest.mark.rule("RNT-14")
def test_the_old_card_holds_until_the_gateway_has_answered() -> None:
    life = asked()
    assert life.contract.payment_id == "pay-1"
    assert life.states() == {"payment_method": "accepted"}
    assert life.deliveries[-1].data == {"payment_id": "pay-2"}
    assert life.due() is None


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["credit_card", "atone", "np_invoice"])
def test_a_card_that_is_taken_is_in_force_from_then_on(method: str) -> None:
    life = asked(method)
    life.outside("2026-06-10 12:00:30", "register_card", "card_taken")
    assert (life.contract.payment_method, life.contract.payment_id) == ("credit_card", "pay-2")
    assert life.states() == {}
    assert life.told()[-1][1] == "payment_method_in_effect"


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize("method", ["credit_card", "atone"])
def test_a_declined_card_leaves_the_old_method_in_force(method: str) -> None:
    life = asked(method)
    life.outside("2026-06-10 12:00:30", "register_card", "card_declined")
    assert (life.contract.payment_method, life.contract.payment_id) == (method, "pay-1")
    assert life.states() == {}
    assert life.contract.blocks == []
    assert life.told()[-1][1] == "payment_method_declined"


@pytest.mark.rule("CAL-4")
def test_a_second_change_waits_for_the_first() -> None:
    life = asked()
    no = life.judge("2026-06-10 12:00:10", "payment_method", CARD)
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("CAL-4", "beside_payment_method")
    life.outside("2026-06-10 12:00:30", "register_card", "card_declined")
    assert life.judge("2026-06-10 12:00:31", "payment_method", CARD) == []


def test_what_came_of_it_is_settled_once() -> None:
    life = asked()
    delivery = life.contract.deliveries[0]
    life.outside("2026-06-10 12:00:30", "register_card", "card_taken")
    assert [(one.delivery_id, one.outcome) for one in life.changes[-1].arrived] == [
        (delivery.delivery_id, "card_taken")
    ]
    assert life.contract.deliveries == []


def test_a_notice_that_cannot_be_delivered_is_told_and_stops_nothing() -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.wait("2026-07-11 00:00:00")
    life.outside("2026-07-11 00:05:00", "return_reminder", "undeliverable")
    assert life.told()[-1] == ("2026-07-11 00:05", "notice_undeliverable")
    assert life.entries[-1].data == {"kind": "return_reminder"}
    assert life.states() == {"cancellation": "device_overdue"}


@pytest.mark.rule("RNT-3", "RNT-15")
@pytest.mark.parametrize(
    ("outcome", "paid_by"), [("card_taken", ("credit_card", "pay-2")), ("card_declined", ("atone", "pay-1"))]
)
def test_a_plan_change_before_the_gateway_answers_takes_the_question_along(
    outcome: str, paid_by: tuple[str, str]
) -> None:
    old = asked("atone")
    old.ask("2026-06-10 12:00:10", "plan_change", STANDARD)
    new = old.successor()
    assert new.states() == {"application": "preparing", "payment_method": "accepted"}
    assert old.sent()[-1][1] == "wake", "nobody else would have it ask before the 1st"
    first, again = old.contract.deliveries[0], new.contract.deliveries[0]
    assert again.delivery_id != first.delivery_id and again.procedure_id != first.procedure_id
    assert again.data == {"key": first.delivery_id} | first.data, "one question under two names"
    for life in (old, new):
        life.outside("2026-06-10 12:00:30", "register_card", outcome)
        assert (life.contract.payment_method, life.contract.payment_id) == paid_by
        assert "payment_method" not in life.states()


@pytest.mark.rule("RNT-3")
def test_a_plan_change_takes_along_that_the_card_of_the_application_is_not_known_yet() -> None:
    old = Life(applied(payment_method="credit_card"))
    old.apply("2026-03-20 10:00:00")
    old.act("2026-03-21 11:00:00", "confirm_application", "approve")
    old.act("2026-04-01 10:00:00", "report_shipped")
    old.ask("2026-06-10 12:00:00", "plan_change", STANDARD)
    new = old.successor()
    new.outside("2026-06-10 12:00:30", "register_card", "card_declined")
    assert (new.states(), new.contract.blocks) == ({"application": "preparing"}, ["card_declined"])

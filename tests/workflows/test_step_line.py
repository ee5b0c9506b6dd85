"""A line from its application to the notice of opening, and what changes about it without ending it."""

from datetime import date

import pytest

from rules.refusal import Refusal
from tests.rules.cases import CARD, at
from tests.workflows.life import Life, line_applied, line_in_force

RESTRICT = {"passport_id": "i-1"}


@pytest.mark.rule("LIN-1")
def test_a_line_is_confirmed_opened_and_in_force_from_its_opening() -> None:
    life = Life(line_applied())
    life.apply("2026-03-20 10:00:00")
    assert (life.contract.state, life.tasks(), life.due()) == ("applied", ["confirm_application"], None)
    life.act("2026-03-21 11:00:00", "confirm_application", "approve")
    assert (life.contract.state, life.tasks(), life.sent()) == ("preparing", ["report_opening"], [])
    assert life.contract.procedures[0].waiting_on == "operator"
    life.act("2026-04-03 23:59:59", "report_opening")
    assert (life.contract.state, life.contract.in_force_from) == ("active", date(2026, 4, 3))
    assert not life.contract.procedures and not life.contract.tasks
    assert life.told() == [
        ("2026-03-20 10:00", "application_accepted"),
        ("2026-03-21 11:00", "application_preparing"),
        ("2026-03-21 11:00", "contract_preparing"),
        ("2026-04-03 23:59", "application_active"),
        ("2026-04-03 23:59", "contract_active"),
    ]


@pytest.mark.rule("IDN-1")
def test_the_notice_of_opening_brings_the_first_access_key_and_no_secret_in_its_payload() -> None:
    life = line_in_force()
    notice = life.deliveries[-1]
    assert (notice.kind, notice.data) == ("opening_notice", {"opened_on": "2026-04-01", "issue": 1})
    assert life.contract.access_key_issue == 1


@pytest.mark.rule("IDN-3")
@pytest.mark.parametrize("corporate", [True, False], ids=["a company", "a person"])
def test_with_the_opening_a_company_gets_its_login_and_a_person_none(corporate: bool) -> None:
    life = Life(line_applied())
    life.apply("2026-03-20 10:00:00")
    life.act("2026-03-21 11:00:00", "confirm_application", "approve", corporate)
    assert life.sent() == []
    life.act("2026-04-01 09:00:00", "report_opening", corporate=corporate)
    told = ["opening_notice", "login"] if corporate else ["opening_notice"]
    assert life.sent() == [("2026-04-01", kind) for kind in told]


@pytest.mark.rule("LIN-6")
@pytest.mark.parametrize("opened", ["2026-04-01 00:00:00", "2026-04-30 23:59:59"])
def test_nothing_of_a_line_is_paid_ahead_or_by_the_day(opened: str) -> None:
    assert line_in_force(opened).owed() == []


@pytest.mark.rule("LIN-1")
def test_a_line_turned_down_never_had_a_key() -> None:
    life = Life(line_applied())
    life.apply("2026-03-20 10:00:00")
    life.act("2026-03-21 11:00:00", "confirm_application", "turn_down")
    assert (life.contract.state, life.contract.access_key_issue) == ("turned_down", 0)
    assert not life.contract.procedures and not life.contract.tasks and not life.deliveries


@pytest.mark.rule("LIN-2")
def test_a_line_paid_by_card_has_its_card_registered() -> None:
    life = Life(line_applied(payment_method="credit_card"))
    life.apply("2026-03-20 10:00:00")
    assert life.sent() == [("2026-03-20", "register_card")]


@pytest.mark.rule("LIN-5")
@pytest.mark.parametrize("method", ["account_transfer", "invoice", "isp_collection"])
def test_a_method_that_asks_nobody_is_in_effect_at_once(method: str) -> None:
    life = line_in_force()
    life.ask("2026-06-25 12:00:00", "payment_method", {"payment": {"method": method, "payment_id": "pay-2"}})
    assert (life.contract.payment_method, life.contract.payment_id) == (method, "pay-2")
    assert life.states() == {}
    assert [what for _, what in life.told()[-2:]] == ["payment_method_accepted", "payment_method_in_effect"]


@pytest.mark.rule("LIN-5")
@pytest.mark.parametrize(
    ("outcome", "holds"),
    [("card_taken", ("credit_card", "pay-2")), ("card_declined", ("invoice", "pay-1"))],
)
def test_a_card_of_a_line_holds_when_the_gateway_has_taken_it(outcome: str, holds: tuple[str, str]) -> None:
    life = line_in_force()
    life.ask("2026-06-25 12:00:00", "payment_method", CARD)
    assert (life.contract.payment_method, life.states()) == ("invoice", {"payment_method": "accepted"})
    life.outside("2026-06-25 12:00:30", "register_card", outcome)
    assert ((life.contract.payment_method, life.contract.payment_id), life.states()) == (holds, {})


@pytest.mark.rule("LIN-5")
def test_a_declined_card_blocks_no_longer_when_the_line_is_paid_otherwise() -> None:
    life = Life(line_applied(payment_method="credit_card"))
    life.apply("2026-03-20 10:00:00")
    life.outside("2026-03-20 10:00:30", "register_card", "card_declined")
    assert life.contract.blocks == ["card_declined"]
    life.ask("2026-03-20 12:00:00", "payment_method", {"payment": {"method": "invoice", "payment_id": "p"}})
    assert life.contract.blocks == []


@pytest.mark.rule("LIN-3")
def test_a_move_changes_the_address_with_the_opening_there_and_nothing_else() -> None:
    life = line_in_force()
    life.ask("2026-06-01 12:00:00", "restriction", RESTRICT)
    before = life.contract.model_copy(deep=True)
    life.ask("2026-06-10 12:00:00", "move", {"address": "東京都港区1-1"})
    assert (life.tasks(), life.states(), life.due()) == (["report_opening"], {"move": "accepted"}, None)
    assert life.changes[-1].moved is None
    assert "港区" not in life.changes[-1].model_dump_json(), "where to stands in the store alone"
    life.act("2026-06-20 09:00:00", "report_opening")
    change = life.changes[-1]
    assert (change.moved, change.wiped, change.lifted, change.restricted) == ("p-c5", False, [], [])
    assert life.contract.model_copy(update={"number": before.number}) == before
    assert life.told()[-2:] == [("2026-06-10 12:00", "move_accepted"), ("2026-06-20 09:00", "move_done")]


@pytest.mark.rule("LIN-3")
def test_a_line_is_of_its_new_type_from_the_opening_on_and_keeps_the_rest() -> None:
    life = line_in_force()
    life.ask("2026-06-01 12:00:00", "restriction", RESTRICT)
    life.ask("2026-06-10 12:00:00", "line_type_change", {"line_type": "cross"})
    assert (life.contract.line_type, life.tasks()) == ("next", ["report_opening"])
    before = life.contract.model_copy(deep=True)
    life.act("2026-06-20 09:00:00", "report_opening")
    assert life.contract.line_type == "cross"
    assert (life.contract.restricted, life.changes[-1].wiped) == (["i-1"], False)
    assert (life.contract.state, life.contract.in_force_from) == (before.state, before.in_force_from)
    assert not life.contract.procedures and not life.contract.tasks
    assert life.owed() == []
    same = life.judge("2026-06-21 12:00:00", "line_type_change", {"line_type": "cross"})
    assert isinstance(same, Refusal) and same.rule == "LIN-3"


@pytest.mark.rule("IDN-2")
def test_each_new_access_key_is_counted_and_sent_by_post() -> None:
    life = line_in_force()
    life.reissue("2026-06-10 16:59:59")
    life.outside("2026-06-10 17:30:00", "access_key", "arrived")
    life.reissue("2026-06-11 09:00:00")
    assert life.contract.access_key_issue == 3
    assert [(one.kind, one.data) for one in life.deliveries[-2:]] == [
        ("access_key", {"issue": 2}),
        ("access_key", {"issue": 3}),
    ]
    assert len({one.delivery_id for one in life.deliveries}) == len(life.deliveries)
    assert life.told()[-2:] == [
        ("2026-06-10 16:59", "access_key_issued"),
        ("2026-06-11 09:00", "access_key_issued"),
    ]
    assert not life.contract.procedures


@pytest.mark.rule("IDN-2")
def test_a_line_that_is_ending_still_gets_a_new_key() -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.reissue("2026-06-30 16:00:00")
    no = life.judge("2026-07-01 12:00:00", "access_key", {})
    assert isinstance(no, Refusal) and no.reason == "contract_over"
    assert life.contract.access_key_issue == 2


@pytest.mark.rule("MAT-9")
def test_a_restriction_is_done_with_its_acceptance() -> None:
    life = line_in_force()
    life.ask("2026-06-10 03:00:00", "restriction", RESTRICT)
    change = life.changes[-1]
    assert (change.restricted, change.lifted, life.contract.restricted) == (["i-1"], [], ["i-1"])
    assert (life.states(), life.tasks(), life.due(), life.deliveries[1:]) == ({}, [], None, [])
    assert {entry.at for entry in change.entries} == {at("2026-06-10 03:00:00")}
    assert [entry.what for entry in change.entries] == ["restriction_accepted", "restriction_restricted"]

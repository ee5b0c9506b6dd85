"""Collabo conversion: the number lapses, is superseded, or is taken up and the line switched over for good."""

from datetime import date

import pytest

from rules.facts import Contract
from rules.refusal import Refusal
from tests.rules.cases import CARD, at
from tests.rules.lines import FULL
from tests.workflows.life import Life, line_in_force

ID = {"passport_id": "i-1"}


def issued(now: str = "2026-06-10 12:00:00") -> Life:
    life = line_in_force()
    life.holdings = FULL
    life.ask(now, "conversion", {})
    return life


def taken_up() -> Life:
    life = issued()
    assert life.advance("2026-06-12 12:00:00", life.pending("conversion"), "take_up") is None
    return life


def switched_over() -> Life:
    life = taken_up()
    assert life.advance("2026-06-20 15:00:00", life.pending("conversion"), "switch_over") is None
    return life


@pytest.mark.rule("COL-1")
def test_a_number_goes_out_with_its_last_day_and_waits_for_the_customer() -> None:
    life = issued()
    assert (life.states(), life.due()) == ({"conversion": "number_issued"}, "2026-06-25 00:00")
    assert life.contract.procedures[0].waiting_on == "customer"
    letter = life.deliveries[-1]
    assert (letter.kind, letter.data) == ("approval_number", {"valid_until": "2026-06-24"})
    assert life.contract.state == "active"


@pytest.mark.rule("COL-1")
def test_it_lapses_at_midnight_of_the_sixteenth_day_and_nothing_else_happens() -> None:
    life = issued()
    life.wait("2026-06-24 23:59:59")
    assert life.states() == {"conversion": "number_issued"}
    life.wait("2026-06-25 00:00:00")
    assert (life.states(), life.contract.state, life.due()) == ({}, "active", None)
    assert life.told()[-1] == ("2026-06-25 00:00", "conversion_lapsed")
    assert not any(change.wiped for change in life.changes)


@pytest.mark.rule("COL-1")
@pytest.mark.rule("COL-2")
@pytest.mark.parametrize(
    ("now", "reason"), [("2026-06-24 23:59:59", None), ("2026-06-25 00:00:00", "number_void")]
)
def test_it_can_be_taken_up_to_the_last_second(now: str, reason: str | None) -> None:
    life = issued()
    no = life.advance(now, life.pending("conversion"), "take_up")
    assert (no.reason if no else None) == reason
    assert no is None or no.rule == "COL-2"


@pytest.mark.rule("COL-2")
def test_a_new_number_makes_the_earlier_one_void() -> None:
    life = issued()
    first = life.pending("conversion")
    life.ask("2026-06-11 12:00:00", "conversion", {})
    second = life.pending("conversion")
    assert first != second
    assert [procedure.procedure_id for procedure in life.contract.procedures] == [second]
    assert [closed.state for closed in life.changes[-1].closed] == ["superseded"]
    assert life.due() == "2026-06-26 00:00"
    no = life.advance("2026-06-12 12:00:00", first, "take_up")
    assert no and (no.rule, no.reason) == ("COL-2", "number_void")
    assert life.advance("2026-06-12 12:00:00", second, "take_up") is None
    assert len({one.delivery_id for one in life.deliveries}) == len(life.deliveries)


@pytest.mark.rule("COL-2")
def test_once_taken_up_it_neither_lapses_nor_is_superseded() -> None:
    life = taken_up()
    assert (life.states(), life.due()) == ({"conversion": "taken_up"}, None)
    assert life.contract.procedures[0].waiting_on == "other_operator"
    life.wait("2027-06-25 00:00:00")
    assert life.states() == {"conversion": "taken_up"}
    no = life.judge("2027-06-25 12:00:00", "conversion", {})
    assert isinstance(no, Refusal) and no.rule == "COL-2"


@pytest.mark.rule("COL-2")
def test_nothing_is_switched_over_before_it_was_taken_up() -> None:
    life = issued()
    no = life.advance("2026-06-12 12:00:00", life.pending("conversion"), "switch_over")
    assert no and (no.rule, no.reason) == ("COL-2", "number_not_taken_up")
    assert (life.contract.state, life.states()) == ("active", {"conversion": "number_issued"})


@pytest.mark.rule("COL-3")
def test_until_the_switch_over_nothing_of_the_line_is_touched() -> None:
    life = taken_up()
    life.ask("2026-06-13 12:00:00", "restriction", ID)
    assert (life.contract.state, life.contract.restricted) == ("active", ["i-1"])
    assert (life.contract.in_force_to, [change for change in life.changes if change.wiped]) == (None, [])


@pytest.mark.rule("COL-3")
def test_the_switch_over_converts_and_deletes_in_one_change() -> None:
    life = switched_over()
    change = life.changes[-1]
    assert (change.wiped, change.contract.state) == (True, "converted")
    assert (change.contract.ended_at, change.contract.in_force_to) == (
        at("2026-06-20 15:00:00"),
        date(2026, 6, 20),
    )
    assert [closed.state for closed in change.closed] == ["converted"]
    assert [entry.what for entry in change.entries] == ["conversion_converted", "contract_converted"]
    assert [one.kind for one in change.deliveries] == ["deletion_certificate"]
    assert [one.wiped for one in life.changes].count(True) == 1
    assert (life.contract.procedures, life.contract.tasks, life.due()) == ([], [], None)


@pytest.mark.rule("COL-3")
def test_it_takes_with_it_whatever_was_still_asked_for() -> None:
    life = issued()
    life.ask("2026-06-10 13:00:00", "restriction", ID)
    life.ask("2026-06-10 14:00:00", "restriction", {"passport_id": "i-2"})
    life.ask("2026-06-10 15:00:00", "unrestriction", ID)
    life.ask("2026-06-10 16:00:00", "unrestriction", {"passport_id": "i-2"})
    life.act("2026-06-11 12:00:00", "send_form")
    life.ask("2026-06-11 13:00:00", "move", {})
    life.ask("2026-06-11 14:00:00", "payment_method", CARD)
    assert life.advance("2026-06-12 12:00:00", life.pending("conversion"), "take_up") is None
    assert life.advance("2026-06-20 15:00:00", life.pending("conversion"), "switch_over") is None
    assert (life.contract.restricted, life.tasks(), life.due()) == ([], [], None)
    assert life.states() == {"payment_method": "accepted"}, "the gateway answers when it answers"
    change = life.changes[-1]
    assert (change.lifted, change.moved) == ([], None), "deleted is not lifted, and nothing has moved"
    assert {done.action for done in change.done} == {"withdrawn"}
    assert sorted(entry.what for entry in change.entries) == [
        "contract_converted",
        "conversion_converted",
        "move_superseded",
        "unrestriction_lapsed",
        "unrestriction_lapsed",
    ]
    life.outside("2026-06-20 15:00:20", "register_card", "card_taken")
    assert (life.contract.state, life.states()) == ("converted", {})


@pytest.mark.rule("COL-2")
@pytest.mark.rule("CAL-4")
def test_after_it_nothing_leads_back_and_nothing_begins() -> None:
    life = switched_over()
    for event, reason in (("take_up", "number_void"), ("switch_over", "number_not_taken_up")):
        no = life.advance("2026-06-21 12:00:00", "p-c4", event)
        assert no and (no.rule, no.reason) == ("COL-2", reason)
    for kind, body in (("conversion", {}), ("cancellation", {}), ("restriction", ID), ("move", {})):
        found = life.judge("2026-06-21 12:00:00", kind, body)
        assert isinstance(found, Refusal) and found.reason == "contract_over"


@pytest.mark.rule("CAL-4")
def test_a_line_whose_number_was_taken_up_cannot_be_cancelled_any_more() -> None:
    no = taken_up().judge("2026-06-13 12:00:00", "cancellation", {})
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("CAL-4", "beside_taken_up")


@pytest.mark.rule("COL-1")
@pytest.mark.rule("COL-2")
def test_after_a_lapse_another_number_can_be_asked_for() -> None:
    life = issued()
    life.ask("2026-06-25 08:30:00", "conversion", {})
    assert (life.states(), life.due()) == ({"conversion": "number_issued"}, "2026-07-10 00:00")
    assert [what for _, what in life.told()[-2:]] == ["conversion_lapsed", "conversion_accepted"]


def test_a_life_read_back_from_its_snapshot_at_every_step_is_the_same_life() -> None:
    def lived(cut: bool) -> list[object]:
        life = issued()
        acts = (("2026-06-12 12:00:00", "take_up"), ("2026-06-20 15:00:00", "switch_over"))
        for now, event in acts:
            if cut:
                written = life.contract.model_dump_json(exclude_defaults=True)
                life.contract = Contract.model_validate_json(written)
            life.advance(now, life.pending("conversion"), event)
        return [change.model_dump(mode="json") for change in life.changes]

    assert lived(cut=True) == lived(cut=False)

"""Lifting a restriction: every way of the written form, and no way without it."""

import pytest

from rules.refusal import Refusal
from rules.tasks import ACTIONS
from tests.workflows.life import Life, line_in_force

ID = {"passport_id": "i-1"}


def restricted() -> Life:
    life = line_in_force()
    life.ask("2026-06-01 12:00:00", "restriction", ID)
    return life


def asked(state: str = "form_requested") -> Life:
    """The form was asked for on 10 June, sent on the 11th, back on the 20th."""
    life = restricted()
    life.ask("2026-06-10 12:00:00", "unrestriction", ID)
    if state in ("form_sent", "form_received"):
        life.act("2026-06-11 12:00:00", "send_form")
    if state == "form_received":
        life.act("2026-06-20 12:00:00", "receive_form")
    assert life.states() == {"unrestriction": state}
    return life


@pytest.mark.rule("MAT-10")
def test_the_form_is_sent_comes_back_is_approved_and_only_then_the_restriction_lifted() -> None:
    life = asked()
    steps = [
        ("2026-06-11 12:00:00", "send_form", "done", "2026-08-11 00:00", "customer", ["receive_form"]),
        ("2026-06-20 12:00:00", "receive_form", "done", None, "operator", ["review_form"]),
    ]
    for now, task, action, due, waits, tasks in steps:
        life.act(now, task, action)
        assert (life.due(), life.contract.procedures[0].waiting_on, life.tasks()) == (due, waits, tasks)
        assert life.contract.restricted == ["i-1"]
    life.act("2026-06-21 12:00:00", "review_form", "approve")
    assert (life.contract.restricted, life.changes[-1].lifted) == ([], ["i-1"])
    assert (life.states(), life.tasks()) == ({}, [])
    assert [what for _, what in life.told()[-4:]] == [
        "unrestriction_accepted",
        "unrestriction_form_sent",
        "unrestriction_form_received",
        "unrestriction_lifted",
    ]
    assert [kind for _, kind in life.sent()[-1:]] == ["written_form"]
    assert life.owed() == []


@pytest.mark.rule("MAT-10")
def test_the_letter_says_by_when_the_form_must_be_back() -> None:
    life = asked("form_sent")
    letter = life.deliveries[-1]
    procedure_id = life.pending("unrestriction")
    assert letter.data == {"procedure_id": procedure_id, "return_by": "2026-08-10"}


@pytest.mark.rule("MAT-10")
def test_turned_down_the_restriction_stays_and_the_customer_is_told() -> None:
    life = asked("form_received")
    life.act("2026-06-21 12:00:00", "review_form", "turn_down")
    assert (life.contract.restricted, life.changes[-1].lifted) == (["i-1"], [])
    assert (life.states(), life.tasks()) == ({}, [])
    assert life.sent()[-1] == ("2026-06-21", "form_turned_down")
    assert life.told()[-1][1] == "unrestriction_turned_down"
    assert isinstance(life.judge("2026-06-22 12:00:00", "unrestriction", ID), list), "another form may go out"


@pytest.mark.rule("MAT-10")
def test_a_form_that_is_not_back_lapses_after_the_sixtieth_day() -> None:
    life = asked("form_sent")
    life.wait("2026-08-10 23:59:59")
    assert (life.states(), life.tasks()) == ({"unrestriction": "form_sent"}, ["receive_form"])
    life.wait("2026-08-11 00:00:00")
    assert (life.states(), life.tasks(), life.contract.restricted) == ({}, [], ["i-1"])
    assert [(done.action, done.by) for done in life.changes[-1].done] == [("withdrawn", "calendar")]
    assert life.told()[-1] == ("2026-08-11 00:00", "unrestriction_lapsed")
    assert life.changes[-1].lifted == []


@pytest.mark.rule("MAT-10")
def test_a_form_that_came_on_the_last_day_is_checked_whenever_there_is_time() -> None:
    life = asked("form_sent")
    life.act("2026-08-10 23:59:59", "receive_form")
    life.wait("2027-01-01 00:00:00")
    assert life.states() == {"unrestriction": "form_received"}
    life.act("2027-01-05 12:00:00", "review_form", "approve")
    assert life.contract.restricted == []


@pytest.mark.rule("MAT-10")
def test_no_time_limit_runs_before_the_form_was_sent() -> None:
    life = asked()
    life.wait("2027-06-10 12:00:00")
    assert (life.states(), life.due()) == ({"unrestriction": "form_requested"}, None)


@pytest.mark.rule("MAT-10")
@pytest.mark.parametrize("state", ["form_requested", "form_sent", "form_received"])
def test_a_second_form_for_the_same_id_is_refused_until_the_first_is_done(state: str) -> None:
    no = asked(state).judge("2026-06-21 12:00:00", "unrestriction", ID)
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("MAT-10", "form_asked_for")


@pytest.mark.rule("MAT-10")
def test_two_ids_have_two_forms_and_one_approval_lifts_one() -> None:
    life = asked()
    life.ask("2026-06-10 13:00:00", "restriction", {"passport_id": "i-2"})
    life.ask("2026-06-10 14:00:00", "unrestriction", {"passport_id": "i-2"})
    assert life.tasks() == ["send_form", "send_form"]
    assert len({task.task_id for task in life.contract.tasks}) == 2
    for task in ("send_form", "receive_form"):
        life.act("2026-06-11 12:00:00", task)
    life.act("2026-06-12 12:00:00", "review_form", "approve")
    assert life.contract.restricted == ["i-2"]
    assert [procedure.data for procedure in life.contract.procedures] == [{"passport_id": "i-2"}]


@pytest.mark.rule("MAT-10")
def test_an_operator_can_only_say_that_it_was_sent_came_back_or_was_checked() -> None:
    assert {kind: ACTIONS[kind] for kind in ("send_form", "receive_form", "review_form")} == {
        "send_form": ("done",),
        "receive_form": ("done",),
        "review_form": ("approve", "turn_down"),
    }


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("MAT-10")
@pytest.mark.parametrize("state", ["form_requested", "form_sent", "form_received"])
def test_a_form_still_out_when_the_line_ends_lapses_with_it(state: str) -> None:
    life = asked(state)
    life.ask("2026-06-25 12:00:00", "cancellation", {})
    life.wait("2026-08-01 00:00:00")
    assert (life.contract.state, life.states(), life.tasks()) == ("ended", {}, [])
    assert ("2026-08-01 00:00", "unrestriction_lapsed") in life.told()
    assert (life.contract.restricted, life.changes[-1].lifted, life.due()) == ([], [], None)

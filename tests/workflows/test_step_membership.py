"""Joining the members' club: every way to the link, and what becomes of it."""

from collections.abc import Callable

import pytest

from rules.refusal import Refusal
from tests.workflows.life import Life, line_in_force
from workflows import authentication_key
from workflows.kinds import cannot_advance

SIGNED_IN, EASY = {"easy": False}, {"easy": True}


def asked(body: dict[str, bool] = SIGNED_IN, now: str = "2026-06-10 12:00:00") -> Life:
    life = line_in_force()
    life.ask(now, "membership", body)
    return life


@pytest.mark.rule("PNT-1")
def test_whoever_has_signed_in_gets_the_link_at_once_and_until_it_is_opened_nobody_is_a_member() -> None:
    life = asked()
    assert life.states() == {"membership": "link_sent"}
    assert (life.sent()[-1], life.due()) == (("2026-06-10", "membership_link"), "2026-06-17 12:00")
    assert life.deliveries[-1].data == {"expires_at": "2026-06-17T12:00:00+09:00"}
    assert (life.contract.member_since, life.tasks()) == (None, [])


@pytest.mark.rule("PNT-1")
@pytest.mark.rule("IDN-3")
def test_who_opens_the_link_is_a_member_from_that_instant_and_told_the_login() -> None:
    life = asked()
    procedure_id = life.pending("membership")
    assert life.advance("2026-06-17 11:59:59", procedure_id, "open_link") is None
    assert f"{life.contract.member_since:%Y-%m-%d %H:%M:%S}" == "2026-06-17 11:59:59"
    assert life.changes[-1].joined == procedure_id
    assert (life.states(), life.due()) == ({}, None)
    assert life.sent()[-1] == ("2026-06-17", "login")


@pytest.mark.rule("PNT-1")
def test_a_link_opens_once() -> None:
    life = asked()
    procedure_id = life.pending("membership")
    life.advance("2026-06-11 12:00:00", procedure_id, "open_link")
    no = life.advance("2026-06-11 12:00:01", procedure_id, "open_link")
    assert no and (no.rule, no.reason) == ("PNT-1", "link_void")


@pytest.mark.rule("PNT-1")
def test_after_seven_days_it_opens_no_more_whether_or_not_a_timer_has_fired() -> None:
    life = asked()
    no = life.advance("2026-06-17 12:00:00", life.pending("membership"), "open_link")
    assert no and no.reason == "link_void"
    life.wait("2026-06-20 12:00:00")
    assert life.told()[-1] == ("2026-06-17 12:00", "membership_lapsed")
    assert life.contract.member_since is None


@pytest.mark.rule("PNT-1")
def test_a_newer_link_makes_the_earlier_one_void() -> None:
    life = asked()
    first = life.pending("membership")
    life.ask("2026-06-10 13:00:00", "membership", SIGNED_IN)
    assert life.advance("2026-06-10 14:00:00", first, "open_link") is not None
    assert life.advance("2026-06-10 14:00:00", life.pending("membership"), "open_link") is None


@pytest.mark.rule("PNT-1")
def test_an_easy_entry_is_checked_within_two_days_before_the_link_goes_out() -> None:
    life = asked(EASY)
    assert (life.states(), life.tasks(), life.due()) == (
        {"membership": "requested"},
        ["check_membership"],
        None,
    )
    assert f"{life.contract.tasks[0].due_at:%Y-%m-%d %H:%M}" == "2026-06-12 12:00"
    life.act("2026-06-14 09:00:00", "check_membership", "approve")
    assert (life.states(), life.due()) == ({"membership": "link_sent"}, "2026-06-21 09:00")
    assert life.sent()[-1] == ("2026-06-14", "membership_link")


@pytest.mark.rule("PNT-1")
def test_an_easy_entry_that_is_turned_down_leads_nowhere() -> None:
    life = asked(EASY)
    procedure_id = life.pending("membership")
    life.act("2026-06-11 09:00:00", "check_membership", "turn_down")
    assert (life.states(), life.tasks()) == ({}, [])
    assert life.told()[-1][1] == "membership_turned_down"
    no = life.advance("2026-06-11 10:00:00", procedure_id, "open_link")
    assert no and no.reason == "link_void"


@pytest.mark.rule("PNT-1")
@pytest.mark.parametrize("first", [SIGNED_IN, EASY])
def test_a_stranger_takes_nobody_s_link_away_and_the_customer_needs_not_wait_for_the_check(
    first: dict[str, bool],
) -> None:
    life = asked(first)
    no = life.judge("2026-06-10 13:00:00", "membership", EASY)
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("PNT-1", "membership_asked_for")
    life.ask("2026-06-10 13:00:00", "membership", SIGNED_IN)
    assert (life.states(), life.tasks()) == ({"membership": "link_sent"}, [])


@pytest.mark.rule("PNT-1")
@pytest.mark.parametrize("body", [SIGNED_IN, EASY])
def test_nobody_joins_twice(body: dict[str, bool]) -> None:
    life = asked()
    life.advance("2026-06-11 12:00:00", life.pending("membership"), "open_link")
    no = life.judge("2026-06-12 12:00:00", "membership", body)
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("PNT-1", "member_already")


@pytest.mark.rule("CAL-4")
@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize("body", [SIGNED_IN, EASY])
def test_a_link_that_is_out_when_the_line_ends_ends_with_it(body: dict[str, bool]) -> None:
    life = asked(body, "2026-06-28 12:00:00")
    procedure_id = life.pending("membership")
    life.ask("2026-06-28 13:00:00", "conversion", {})
    life.outside("2026-06-28 13:00:00", "approval_number", "arrived")
    number = life.pending("conversion")
    for event in ("take_up", "switch_over"):
        assert life.advance("2026-06-28 14:00:00", number, event) is None
    assert (life.states(), life.tasks()) == ({}, [])
    assert "membership_lapsed" in [what for _, what in life.told()]
    assert cannot_advance(life.contract, procedure_id, "open_link") is not None


def ending(life: Life) -> None:
    life.ask("2026-06-11 12:00:00", "cancellation", {})


def taken_up(life: Life) -> None:
    life.ask("2026-06-11 12:00:00", "conversion", {})
    assert life.advance("2026-06-11 13:00:00", life.pending("conversion"), "take_up") is None


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(("goes", "why"), [(ending, "beside_cancellation"), (taken_up, "beside_taken_up")])
def test_on_a_line_that_is_going_no_link_opens_and_no_entry_is_approved_that_was_asked_for_before(
    goes: Callable[[Life], None], why: str
) -> None:
    life = asked()
    goes(life)
    no = life.advance("2026-06-12 12:00:00", life.pending("membership"), "open_link")
    assert no and (no.rule, no.reason) == ("CAL-4", why)
    life = asked(EASY)
    goes(life)
    no = life.cannot_act("2026-06-12 12:00:00", "check_membership", "approve")
    assert no and (no.rule, no.reason) == ("CAL-4", why)
    life.act("2026-06-12 12:00:00", "check_membership", "turn_down")
    assert "membership" not in life.states()


@pytest.mark.rule("PNT-9")
def test_with_the_line_the_membership_is_over() -> None:
    life = asked()
    life.advance("2026-06-11 12:00:00", life.pending("membership"), "open_link")
    life.ask("2026-06-12 12:00:00", "cancellation", {})
    life.wait("2026-07-01 00:00:00")
    assert (life.contract.state, life.contract.member_since) == ("ended", None)


@pytest.mark.rule("PNT-7")
def test_each_authentication_key_is_another_one_and_goes_out_by_itself() -> None:
    life = line_in_force()
    for number in (1, 2):
        assert life.judge("2026-06-10 12:00:00", "authentication_key", {}) == []
        step = life._step("2026-06-10 12:00:00", "customer")
        authentication_key.issue(step)
        life._write(step, step.at)
        assert life.contract.authentication_key_issue == number
        assert life.deliveries[-1].data == {"issue": number}
    assert len({delivery.delivery_id for delivery in life.deliveries}) == len(life.deliveries)

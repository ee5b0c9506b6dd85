"""Figures change while contracts run: what was promised stays promised."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from rules import policy
from rules.figures import Policy
from tests.rules.cases import CARD, STANDARD
from tests.workflows.life import Life, applied, in_force, line_in_force


@pytest.fixture(autouse=True)
def _the_policy_of_before() -> Iterator[None]:
    yield
    policy.use(policy.load())


def from_now_on(life: Life, **tables: Any) -> None:
    """Another policy is in force, and the next command to the contract is decided by it."""
    life.policy = policy.use(policy.load().model_copy(update=tables))


def course(code: str, **figures: Any) -> dict[str, Any]:
    known: Policy = policy.load()
    changed = [one.model_copy(update=figures) if one.course == code else one for one in known.courses]
    return {"courses": changed}


@pytest.mark.rule("RNT-10")
def test_a_date_that_was_given_does_not_move() -> None:
    life = in_force()
    effects = life.ask("2026-06-10 12:00:00", "cancellation", {})
    from_now_on(life, device_return=policy.load().device_return.model_copy(update={"due_after_days": 20}))
    life.ask("2026-06-11 12:00:00", "payment_method", CARD)
    life.wait("2026-07-01 00:00:00")
    promised = next(effect.at for effect in effects if effect.what == "device_return_due")
    assert life.due() == f"{promised:%Y-%m-%d %H:%M}"


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("RNT-10")
def test_a_device_is_due_by_the_figures_of_its_cancellation_also_where_an_older_bill_ends_the_contract() -> (
    None
):
    life = in_force()
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    from_now_on(life, device_return=policy.load().device_return.model_copy(update={"due_after_days": 20}))
    life.ask("2026-09-16 12:00:00", "cancellation", {})
    life.wait("2026-10-30 00:00:00")
    assert (life.contract.state, life.due()) == ("ended", "2026-11-19 00:00")
    life.wait("2026-11-19 00:00:00")
    assert life.deliveries[-1].data["due_on"] == "2026-11-18"


@pytest.mark.rule("MAT-10")
def test_a_form_lapses_after_as_many_days_as_were_shown_whenever_it_is_sent() -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "restriction", {"passport_id": "i-1"})
    [lapses] = life.ask("2026-06-10 12:00:01", "unrestriction", {"passport_id": "i-1"})
    from_now_on(life, written_form=policy.load().written_form.model_copy(update={"lapses_after_days": 30}))
    life.act("2026-06-11 12:00:00", "send_form")
    assert (lapses.count, life.due()) == (60, "2026-08-11 00:00")


@pytest.mark.rule("PNT-1")
def test_a_link_is_good_for_as_long_as_when_it_was_asked_for() -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "membership", {"easy": True})
    from_now_on(life, points=policy.load().points.model_copy(update={"link_valid_days": 1}))
    life.act("2026-06-11 12:00:00", "check_membership", "approve")
    assert life.due() == "2026-06-18 12:00"


@pytest.mark.rule("RNT-12")
def test_an_option_is_covered_as_it_was_when_it_was_applied_for_even_if_it_is_sold_no_more() -> None:
    life = Life(applied())
    life.apply("2026-03-20 10:00:00", "support_premium")
    life.act("2026-03-21 11:00:00", "confirm_application", "approve")
    known = policy.load()
    sold = [one for one in known.support_options if one.option != "support_premium"]
    later = known.support.model_copy(update={"premium_cover_after_months": 6})
    from_now_on(life, support_options=sold, support=later)
    life.act("2026-04-01 09:00:00", "report_shipped")
    assert life.contract.options[0].cover_from == date(2026, 6, 1)


@pytest.mark.rule("RNT-7")
def test_the_deposit_that_comes_back_is_the_one_that_was_paid() -> None:
    life = in_force(course="depocomi")
    from_now_on(life, **course("depocomi", deposit=30000))
    life.ask("2027-03-10 12:00:00", "cancellation", {})
    life.wait("2027-04-01 00:00:00")
    assert sum(charge.amount for charge in life.charges if charge.kind == "deposit") == 0


@pytest.mark.rule("RNT-7")
def test_a_course_that_is_sold_no_more_can_still_be_ended() -> None:
    life = in_force(course="depocomi")
    from_now_on(life, courses=[one for one in policy.load().courses if one.course != "depocomi"])
    effects = life.ask("2026-06-10 12:00:00", "cancellation", {})
    assert "deposit_forfeited" in [effect.what for effect in effects]


@pytest.mark.rule("RNT-2")
@pytest.mark.parametrize("code", ["depocomi", "omatome"])
def test_a_plan_change_shows_all_that_it_will_cost(code: str) -> None:
    life = in_force()
    effects = life.ask("2026-06-10 12:00:00", "plan_change", {**STANDARD, "course": code})
    new = life.successor()
    new.wait("2026-07-01 00:00:00")
    owed = sum(charge.amount for charge in [*life.charges, *new.charges])
    assert sum(effect.amount or 0 for effect in effects if effect.what == "fee") == owed

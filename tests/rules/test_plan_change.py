from datetime import UTC, date, datetime

import pytest

from rules.decision import decide
from rules.effects import Effect
from tests.rules.cases import POLICY, STANDARD, accepted, amounts, dates, refused, rental


@pytest.mark.rule("RNT-3")
@pytest.mark.parametrize(
    "now", ["2026-06-01 00:00:00", "2026-06-15 23:59:59", "2027-02-01 00:00:00", "2028-02-15 23:59:59"]
)
def test_a_plan_change_is_taken_from_the_1st_to_the_15th(now: str) -> None:
    assert accepted("plan_change", STANDARD, now)


@pytest.mark.rule("RNT-3")
@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        ("2026-06-16 00:00:00", "2026-07-01T00:00:00+09:00"),
        ("2026-06-25 12:00:00", "2026-07-01T00:00:00+09:00"),
        ("2027-02-28 23:59:59", "2027-03-01T00:00:00+09:00"),
        ("2028-02-29 23:59:59", "2028-03-01T00:00:00+09:00"),
        ("2026-03-31 23:59:59", "2026-04-01T00:00:00+09:00"),
        ("2026-12-31 23:59:59", "2027-01-01T00:00:00+09:00"),
    ],
)
def test_from_the_16th_it_is_refused_until_the_next_1st(now: str, opens_at: str) -> None:
    no = refused("plan_change", STANDARD, now)
    assert (no.rule, no.opens_at and no.opens_at.isoformat()) == ("RNT-3", opens_at)


@pytest.mark.rule("RNT-3")
@pytest.mark.rule("CAL-1")
def test_it_is_the_day_in_japan_that_counts() -> None:
    """15:00 of the 15th in UTC is the 16th in Japan; 15:00 of the 31st is the 1st."""
    taken = decide(rental(), "plan_change", STANDARD, datetime(2026, 5, 31, 15, tzinfo=UTC), POLICY)
    late = decide(rental(), "plan_change", STANDARD, datetime(2026, 6, 15, 15, tzinfo=UTC), POLICY)
    assert isinstance(taken, list)
    assert not isinstance(late, list)


@pytest.mark.rule("RNT-3")
@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-06-15 23:59:59", "2026-07-01 00:00"),
        ("2027-02-10 12:00:00", "2027-03-01 00:00"),
        ("2028-02-10 12:00:00", "2028-03-01 00:00"),
        ("2026-12-01 00:00:00", "2027-01-01 00:00"),
    ],
)
def test_the_old_contract_ends_at_the_instant_at_which_the_new_one_begins(now: str, first: str) -> None:
    when = dates(accepted("plan_change", STANDARD, now))
    assert when["contract_ends"] == when["contract_begins"] == first


@pytest.mark.rule("RNT-4")
@pytest.mark.rule("RNT-10")
def test_the_old_device_is_due_back_ten_days_after_the_old_contract() -> None:
    assert (
        dates(accepted("plan_change", STANDARD, "2026-06-10 12:00:00"))["device_return_due"]
        == "2026-07-11 00:00"
    )


@pytest.mark.rule("RNT-5")
@pytest.mark.rule("RNT-18")
def test_it_costs_1500_yen_on_the_first_day_of_the_new_contract() -> None:
    fee = next(one for one in accepted("plan_change", STANDARD, "2026-06-10 12:00:00") if one.what == "fee")
    assert (fee.item, fee.amount) == ("plan_change", 1500)
    assert fee.at and fee.at.isoformat() == "2026-07-01T00:00:00+09:00"


@pytest.mark.rule("RNT-18")
def test_the_plan_and_course_already_held_are_refused_on_any_day() -> None:
    held = {"plan": "wifi-50", "course": "standard"}
    assert refused("plan_change", held, "2026-06-10 12:00:00").rule == "RNT-18"
    assert refused("plan_change", held, "2026-06-20 12:00:00").rule == "RNT-18"


@pytest.mark.rule("RNT-18")
@pytest.mark.parametrize(
    "body", [{"plan": "wifi-100", "course": "standard"}, {"plan": "wifi-50", "course": "depocomi"}]
)
def test_another_plan_or_another_course_alone_is_a_change(body: dict[str, str]) -> None:
    assert accepted("plan_change", body, "2026-06-10 12:00:00")


@pytest.mark.rule("RNT-18")
def test_a_support_option_ends_with_the_old_contract() -> None:
    options = [{"option": "support", "first": date(2026, 4, 1)}]
    when = dates(accepted("plan_change", STANDARD, "2026-06-10 12:00:00", options=options))
    assert when["option_ends"] == "2026-07-01 00:00"
    assert "option_begins" not in when


@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("now", "forfeited"),
    [
        ("2026-07-01 00:00:00", 20000),
        ("2027-05-15 23:59:59", 20000),  # ends 31 May 2027, with the eleventh month
        ("2027-06-01 00:00:00", None),  # ends 30 June 2027, with the twelfth
    ],
)
def test_a_change_inside_the_twelve_months_forfeits_the_deposit(now: str, forfeited: int | None) -> None:
    effects = accepted("plan_change", STANDARD, now, course="depocomi", in_force_from=date(2026, 7, 1))
    assert amounts(effects).get("deposit_forfeited") == forfeited


@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("now", "count", "amount"),
    [
        ("2026-07-15 12:00:00", 5, 5 * 2800),
        ("2026-11-15 12:00:00", 1, 2800),
        ("2026-12-01 00:00:00", None, None),
    ],
)
def test_months_paid_ahead_and_not_used_are_lost(now: str, count: int | None, amount: int | None) -> None:
    effects = accepted("plan_change", STANDARD, now, course="omatome", in_force_from=date(2026, 7, 31))
    lost = [(one.count, one.amount) for one in effects if one.what == "prepaid_months_forfeited"]
    assert lost == ([(count, amount)] if count else [])


def test_effects_come_in_the_order_of_their_dates() -> None:
    effects: list[Effect] = accepted("plan_change", STANDARD, "2026-06-10 12:00:00", course="depocomi")
    when = [one.at for one in effects if one.at]
    assert when == sorted(when)

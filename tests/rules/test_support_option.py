from datetime import UTC, date, datetime
from typing import Any

import pytest

from rules.decision import decide
from rules.support_option import cover_from
from tests.rules.cases import POLICY, accepted, dates, refused, rental

SUPPORT = [{"option": "support", "first": date(2026, 4, 1)}]


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize("now", ["2026-06-01 00:00:00", "2026-06-15 23:59:59"])
@pytest.mark.parametrize("option", ["support_premium", None])
def test_change_and_removal_are_taken_from_the_1st_to_the_15th(now: str, option: str | None) -> None:
    assert accepted("support_option", {"option": option}, now, options=SUPPORT)


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        ("2026-06-16 00:00:00", "2026-07-01T00:00:00+09:00"),
        ("2027-02-28 23:59:59", "2027-03-01T00:00:00+09:00"),
        ("2028-02-29 23:59:59", "2028-03-01T00:00:00+09:00"),
        ("2026-12-31 23:59:59", "2027-01-01T00:00:00+09:00"),
    ],
)
def test_from_the_16th_they_are_refused_until_the_next_1st(now: str, opens_at: str) -> None:
    no = refused("support_option", {"option": None}, now, options=SUPPORT)
    assert (no.rule, no.reason) == ("RNT-11", "support_option_window")
    assert no.opens_at and no.opens_at.isoformat() == opens_at


@pytest.mark.rule("RNT-11")
@pytest.mark.rule("CAL-1")
def test_the_window_closes_at_15_00_of_the_15th_in_utc() -> None:
    contract, body = rental(options=SUPPORT), {"option": None}
    before = decide(contract, "support_option", body, datetime(2026, 6, 15, 14, 59, 59, tzinfo=UTC), POLICY)
    after = decide(contract, "support_option", body, datetime(2026, 6, 15, 15, 0, 0, tzinfo=UTC), POLICY)
    assert isinstance(before, list)
    assert not isinstance(after, list)


@pytest.mark.rule("RNT-11")
def test_only_once_in_a_contract_s_life_and_no_day_will_open_it() -> None:
    no = refused(
        "support_option", {"option": None}, "2026-06-20 12:00:00", options=SUPPORT, option_changed=True
    )
    assert (no.rule, no.reason, no.opens_at) == ("RNT-11", "option_changed_before", None)


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize(("options", "asked"), [(SUPPORT, "support"), ([], None)])
def test_what_is_held_already_is_no_change(options: list[Any], asked: str | None) -> None:
    assert (
        refused("support_option", {"option": asked}, "2026-06-10 12:00:00", options=options).reason
        == "same_option"
    )


@pytest.mark.rule("RNT-11")
def test_a_change_applies_from_the_1st_and_the_old_option_ends_then() -> None:
    when = dates(
        accepted("support_option", {"option": "support_sim"}, "2026-12-15 23:59:59", options=SUPPORT)
    )
    assert when == {"option_ends": "2027-01-01 00:00", "option_begins": "2027-01-01 00:00"}


@pytest.mark.rule("RNT-11")
def test_a_removal_takes_effect_at_the_end_of_the_month() -> None:
    when = dates(accepted("support_option", {"option": None}, "2028-02-15 23:59:59", options=SUPPORT))
    assert when == {"option_ends": "2028-03-01 00:00"}


@pytest.mark.rule("RNT-12")
@pytest.mark.parametrize(
    ("first", "cover"),
    [
        (date(2026, 7, 1), date(2026, 9, 1)),
        (date(2026, 7, 31), date(2026, 9, 1)),
        (date(2026, 12, 31), date(2027, 2, 1)),
        (date(2026, 11, 1), date(2027, 1, 1)),
    ],
)
@pytest.mark.parametrize("option", ["support_premium", "support_premium_sim"])
def test_premium_cover_begins_two_months_after_the_first_month(option: str, first: date, cover: date) -> None:
    assert cover_from(option, first, POLICY) == cover


@pytest.mark.rule("RNT-12")
@pytest.mark.parametrize("option", ["support", "support_sim"])
def test_the_other_options_have_no_such_cover(option: str) -> None:
    assert cover_from(option, date(2026, 7, 1), POLICY) is None


@pytest.mark.rule("RNT-12")
def test_the_cover_is_among_the_effects_of_asking_for_it() -> None:
    when = dates(accepted("support_option", {"option": "support_premium"}, "2026-06-10 12:00:00"))
    assert when == {"option_begins": "2026-07-01 00:00", "cover_begins": "2026-09-01 00:00"}

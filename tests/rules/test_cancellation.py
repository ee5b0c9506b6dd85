from datetime import UTC, date, datetime

import pytest

from rules.decision import decide
from tests.rules.cases import POLICY, accepted, amounts, dates, refused, rental


@pytest.mark.rule("RNT-8")
@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-06-01 00:00:00", "2026-07-01 00:00"),
        ("2026-06-15 23:59:59", "2026-07-01 00:00"),
        ("2026-06-16 00:00:00", "2026-08-01 00:00"),
        ("2026-06-24 23:59:59", "2026-08-01 00:00"),
        ("2026-06-26 00:00:00", "2026-08-01 00:00"),
        ("2027-01-31 23:59:59", "2027-03-01 00:00"),
        ("2028-01-31 23:59:59", "2028-03-01 00:00"),
        ("2028-02-29 12:00:00", "2028-04-01 00:00"),
        ("2026-03-31 23:59:59", "2026-05-01 00:00"),
        ("2026-12-15 23:59:59", "2027-01-01 00:00"),
        ("2026-12-16 00:00:00", "2027-02-01 00:00"),
        ("2026-12-31 23:59:59", "2027-02-01 00:00"),
    ],
)
def test_until_the_15th_it_ends_this_month_from_the_16th_the_next(now: str, ends: str) -> None:
    assert dates(accepted("cancellation", {}, now))["contract_ends"] == ends


@pytest.mark.rule("RNT-8")
@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 6, 15, 14, 59, 59, tzinfo=UTC), "2026-07-01 00:00"),
        (datetime(2026, 6, 15, 15, 0, 0, tzinfo=UTC), "2026-08-01 00:00"),
        (datetime(2026, 6, 30, 14, 59, 59, tzinfo=UTC), "2026-08-01 00:00"),
        (datetime(2026, 6, 30, 15, 0, 0, tzinfo=UTC), "2026-08-01 00:00"),
    ],
)
def test_the_last_day_is_reckoned_by_the_day_in_japan(now: datetime, ends: str) -> None:
    effects = decide(rental(), "cancellation", {}, now, POLICY)
    assert isinstance(effects, list)
    assert dates(effects)["contract_ends"] == ends


@pytest.mark.rule("RNT-9")
@pytest.mark.parametrize("now", ["2026-06-24 23:59:59", "2026-06-26 00:00:00", "2027-02-24 23:59:59"])
def test_it_is_taken_on_the_days_beside_the_25th(now: str) -> None:
    assert accepted("cancellation", {}, now)


@pytest.mark.rule("RNT-9")
@pytest.mark.parametrize("now", ["2026-06-25 00:00:00", "2026-06-25 12:00:00", "2026-06-25 23:59:59"])
def test_none_is_taken_on_the_25th(now: str) -> None:
    no = refused("cancellation", {}, now)
    assert (no.rule, no.opens_at and no.opens_at.isoformat()) == ("RNT-9", "2026-06-26T00:00:00+09:00")


@pytest.mark.rule("RNT-9")
@pytest.mark.rule("CAL-1")
def test_the_25th_begins_at_15_00_of_the_24th_in_utc() -> None:
    before = decide(rental(), "cancellation", {}, datetime(2026, 6, 24, 14, 59, 59, tzinfo=UTC), POLICY)
    after = decide(rental(), "cancellation", {}, datetime(2026, 6, 24, 15, 0, 0, tzinfo=UTC), POLICY)
    assert isinstance(before, list)
    assert not isinstance(after, list)


@pytest.mark.rule("RNT-7")
@pytest.mark.parametrize(
    ("now", "forfeited"),
    [
        ("2027-05-15 23:59:59", 20000),  # ends 31 May 2027, with the eleventh month
        ("2027-05-16 00:00:00", None),  # ends 30 June 2027, with the twelfth
        ("2027-06-16 00:00:00", None),
    ],
)
def test_the_deposit_is_judged_by_the_last_day_not_by_the_day_of_asking(
    now: str, forfeited: int | None
) -> None:
    effects = accepted("cancellation", {}, now, course="depocomi", in_force_from=date(2026, 7, 20))
    assert amounts(effects).get("deposit_forfeited") == forfeited


@pytest.mark.rule("RNT-7")
def test_unused_months_of_omatome_are_not_refunded() -> None:
    effects = accepted("cancellation", {}, "2026-06-10 12:00:00", course="omatome")
    lost = next(one for one in effects if one.what == "prepaid_months_forfeited")
    assert (lost.count, lost.amount) == (3, 3 * 2800)


@pytest.mark.rule("RNT-7")
def test_the_standard_course_loses_nothing() -> None:
    assert set(dates(accepted("cancellation", {}, "2026-06-10 12:00:00"))) == {
        "contract_ends",
        "device_return_due",
    }

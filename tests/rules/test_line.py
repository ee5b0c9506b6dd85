"""Lines: their end, what they are paid by, moving, changing type, and new access keys."""

from datetime import UTC, date, datetime

import pytest

from rules.change import Holdings
from rules.decision import OF_PRODUCT, decide, missing_consent
from rules.effects import consent
from rules.payment_method import not_taken
from tests.rules.cases import POLICY, at, dates
from tests.rules.lines import BODIES, accepted, judged, line, pending, refused, told, verdict

METHODS = ["credit_card", "account_transfer", "invoice", "isp_collection"]


@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-06-01 00:00:00", "2026-07-01 00:00"),
        ("2026-06-15 23:59:59", "2026-07-01 00:00"),
        ("2026-06-16 00:00:00", "2026-08-01 00:00"),
        ("2026-06-24 23:59:59", "2026-08-01 00:00"),
        ("2026-06-25 00:00:00", "2026-08-01 00:00"),
        ("2026-06-25 23:59:59", "2026-08-01 00:00"),
        ("2026-06-30 23:59:59", "2026-08-01 00:00"),
        ("2026-12-31 23:59:59", "2027-02-01 00:00"),
        ("2028-01-16 00:00:00", "2028-03-01 00:00"),
    ],
)
def test_a_line_can_be_cancelled_on_any_day_the_25th_too(now: str, ends: str) -> None:
    assert set(dates(accepted("cancellation", now)).values()) == {ends}


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 6, 15, 14, 59, 59, tzinfo=UTC), "2026-07-01 00:00"),
        (datetime(2026, 6, 15, 15, 0, 0, tzinfo=UTC), "2026-08-01 00:00"),
    ],
)
def test_the_15th_is_that_of_japan(now: datetime, ends: str) -> None:
    effects = decide(line(), "cancellation", {}, now, POLICY)
    assert isinstance(effects, list)
    assert dates(effects) == {"contract_ends": ends}


@pytest.mark.rule("LIN-4")
def test_before_it_is_cancelled_all_that_ends_is_shown_with_each_amount() -> None:
    effects = accepted("cancellation")
    assert told(effects) == [
        ("contract_ends", None, None),
        ("passport_id_deleted", "i-1", None),
        ("passport_id_deleted", "i-2", None),
        ("monthly_item_ended", "u-1", None),
        ("monthly_item_ended", "u-2", None),
        ("provider_cancellation_fee", "u-1", 1000),
        ("points_forfeited", None, 1200),
        ("matomete_ends", None, None),
    ]


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("PNT-4")
@pytest.mark.parametrize(
    ("now", "forfeited"),
    [("2027-02-20 12:00:00", 800), ("2027-03-20 12:00:00", 300), ("2027-03-15 12:00:00", 800)],
)
def test_points_that_lapse_before_the_line_ends_are_not_forfeited_with_it(now: str, forfeited: int) -> None:
    held = Holdings(points=800, points_until={date(2027, 3, 31): 500, date(2028, 3, 31): 300})
    assert told(accepted("cancellation", now, holdings=held))[-1] == ("points_forfeited", None, forfeited)


@pytest.mark.rule("COL-5")
def test_at_a_switch_over_whose_day_nobody_knows_all_points_are_lost() -> None:
    held = Holdings(points=800, points_until={date(2027, 3, 31): 500, date(2028, 3, 31): 300})
    found = told(accepted("conversion", "2027-03-20 12:00:00", holdings=held))
    assert found[-1] == ("points_forfeited", None, 800)


@pytest.mark.rule("LIN-4")
def test_where_all_of_them_lapse_before_none_are_forfeited() -> None:
    held = Holdings(points=500, points_until={date(2027, 3, 31): 500})
    assert told(accepted("cancellation", "2027-03-20 12:00:00", holdings=held)) == [
        ("contract_ends", None, None)
    ]


@pytest.mark.rule("LIN-4")
def test_cancelling_needs_the_word_of_that_preview() -> None:
    effects = accepted("cancellation")
    word = consent("k-1", "cancellation", {}, effects)
    assert missing_consent("k-1", "cancellation", {}, effects, word) is None
    emptier = accepted("cancellation", holdings=Holdings())
    no = missing_consent("k-1", "cancellation", {}, emptier, word)
    assert no and no.reason == "consent_outdated"


@pytest.mark.rule("LIN-2")
@pytest.mark.parametrize("method", [*METHODS, "atone", "np_invoice"])
def test_what_a_line_is_paid_by(method: str) -> None:
    no = not_taken("line", method)
    assert (no.rule if no else "ok") == ("ok" if method in METHODS else "LIN-2")


@pytest.mark.rule("LIN-5")
@pytest.mark.parametrize("held", METHODS)
@pytest.mark.parametrize("asked", METHODS)
@pytest.mark.parametrize("now", ["2026-06-10 12:00:00", "2026-06-25 00:00:00", "2026-12-31 23:59:59"])
def test_a_line_may_change_between_all_its_methods_on_any_day(held: str, asked: str, now: str) -> None:
    body = {"payment": {"method": asked, "payment_id": "pay-2"}}
    assert judged("payment_method", now, body, payment_method=held) == []


@pytest.mark.rule("LIN-2")
@pytest.mark.rule("LIN-5")
@pytest.mark.parametrize("method", ["atone", "np_invoice"])
def test_it_cannot_change_to_those_of_a_rental(method: str) -> None:
    no = refused("payment_method", body={"payment": {"method": method, "payment_id": "pay-2"}})
    assert (no.rule, no.reason, no.data) == ("LIN-2", "method_not_for_product", {"method": method})


@pytest.mark.rule("LIN-5")
def test_the_page_for_old_rentals_is_not_for_lines() -> None:
    old = at("2018-01-01 00:00:00")
    body = {"payment": {"method": "credit_card", "payment_id": "pay-2"}}
    assert judged("payment_method", body=body, applied_at=old) == []


@pytest.mark.rule("LIN-3")
@pytest.mark.parametrize("held", ["cross", "next", "light"])
@pytest.mark.parametrize("asked", ["cross", "next", "light"])
def test_a_line_changes_to_any_other_type_and_loses_nothing(held: str, asked: str) -> None:
    found = judged("line_type_change", body={"line_type": asked}, line_type=held)
    assert found == [] or (held == asked and not isinstance(found, list) and found.rule == "LIN-3")
    assert (held == asked) != isinstance(found, list)


@pytest.mark.rule("LIN-3")
@pytest.mark.parametrize("now", ["2026-06-10 03:00:00", "2026-06-25 12:00:00", "2027-01-01 12:00:00"])
def test_a_line_moves_on_any_day_and_loses_nothing(now: str) -> None:
    assert accepted("move", now) == []


@pytest.mark.rule("IDN-2")
@pytest.mark.parametrize(
    "now",
    [
        "2026-06-10 09:00:00",
        "2026-06-10 16:59:59",
        "2026-06-14 12:00:00",
        "2026-12-28 16:59:59",
        "2027-01-04 09:00:00",
    ],
)
def test_a_new_access_key_is_issued_within_the_hours_of_the_telephone(now: str) -> None:
    assert accepted("access_key", now) == []


CLOSED = """
2026-06-10 08:59:59  2026-06-10 09:00
2026-06-10 17:00:00  2026-06-11 09:00
2026-12-28 17:00:00  2027-01-04 09:00
2026-12-29 00:00:00  2027-01-04 09:00
2026-12-29 12:00:00  2027-01-04 09:00
2027-01-03 16:59:59  2027-01-04 09:00
2027-01-03 23:59:59  2027-01-04 09:00
2027-01-04 08:59:59  2027-01-04 09:00
"""


@pytest.mark.rule("IDN-2")
@pytest.mark.parametrize("row", CLOSED.strip().splitlines())
def test_outside_them_it_says_when_somebody_answers_again(row: str) -> None:
    now, opens = row.split("  ")
    no = refused("access_key", now)
    assert (no.rule, no.opens_at and no.opens_at.isoformat()) == (
        "IDN-2",
        f"{opens.replace(' ', 'T')}:00+09:00",
    )
    assert verdict("access_key", f"{opens}:00") == "ok"


@pytest.mark.rule("IDN-2")
@pytest.mark.parametrize(
    ("now", "last_day", "reason"),
    [
        ("2026-06-30 17:00:00", date(2026, 6, 30), "access_key_no_more"),
        ("2026-12-29 12:00:00", date(2026, 12, 31), "access_key_no_more"),
        ("2026-06-30 08:59:59", date(2026, 6, 30), "access_key_hours"),
        ("2026-06-30 17:00:00", date(2026, 7, 31), "access_key_hours"),
    ],
)
def test_no_hours_are_named_that_a_line_does_not_live_to_see(now: str, last_day: date, reason: str) -> None:
    no = refused("access_key", now, state="ending", in_force_to=last_day)
    assert (no.reason, no.opens_at is None) == (reason, reason == "access_key_no_more")


@pytest.mark.rule("CAL-4")
def test_a_line_has_no_key_to_be_replaced_before_it_is_open() -> None:
    no = refused("access_key", state="preparing", procedures=[pending("application", "preparing")])
    assert (no.rule, no.reason) == ("CAL-4", "beside_application")


def test_a_customer_may_ask_for_all_but_the_key() -> None:
    """The access key is the operator's to issue (IDN-2); what the club has is asked for elsewhere."""
    assert OF_PRODUCT["line"] == set(BODIES) - {"access_key", "membership", "authentication_key"}

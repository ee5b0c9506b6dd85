"""Approval numbers: their hours, their validity, and what the customer is shown that will be lost."""

from datetime import UTC, datetime

import pytest

from rules.change import Holdings, Item
from rules.conversion import cannot_advance
from rules.decision import decide, missing_consent
from rules.effects import consent
from tests.rules.cases import POLICY, dates
from tests.rules.lines import FULL, accepted, line, pending, refused, told, verdict


@pytest.mark.rule("COL-1")
@pytest.mark.parametrize(
    "now",
    [
        "2026-06-10 08:30:00",
        "2026-06-10 21:59:59",
        "2026-06-14 12:00:00",  # a Sunday
        "2026-06-25 12:00:00",  # the settlement day
        "2026-12-28 08:30:00",
        "2026-12-28 21:59:59",
        "2027-01-04 08:30:00",
        "2027-01-04 21:59:59",
    ],
)
def test_a_number_is_issued_within_the_hours_of_any_day(now: str) -> None:
    assert verdict("conversion", now) == "ok"


CLOSED = """
2026-06-10 00:00:00  2026-06-10 08:30
2026-06-10 08:29:59  2026-06-10 08:30
2026-06-10 22:00:00  2026-06-11 08:30
2026-06-10 23:59:59  2026-06-11 08:30
2026-06-30 22:00:00  2026-07-01 08:30
2026-12-27 22:00:00  2026-12-28 08:30
2026-12-28 08:29:59  2026-12-28 08:30
2026-12-28 22:00:00  2027-01-04 08:30
2026-12-29 00:00:00  2027-01-04 08:30
2026-12-29 08:29:59  2027-01-04 08:30
2026-12-29 08:30:00  2027-01-04 08:30
2026-12-31 12:00:00  2027-01-04 08:30
2027-01-01 12:00:00  2027-01-04 08:30
2027-01-03 21:59:59  2027-01-04 08:30
2027-01-03 22:00:00  2027-01-04 08:30
2027-01-04 00:00:00  2027-01-04 08:30
2027-01-04 08:29:59  2027-01-04 08:30
2027-01-04 22:00:00  2027-01-05 08:30
"""


@pytest.mark.rule("COL-1")
@pytest.mark.parametrize("row", CLOSED.strip().splitlines())
def test_outside_them_it_says_when_it_is_really_open_again(row: str) -> None:
    now, opens = row.split("  ")
    no = refused("conversion", now)
    assert (no.rule, no.opens_at and no.opens_at.isoformat()) == (
        "COL-1",
        f"{opens.replace(' ', 'T')}:00+09:00",
    )
    assert verdict("conversion", f"{opens}:00") == "ok"


@pytest.mark.rule("COL-1")
@pytest.mark.rule("CAL-1")
def test_the_hours_are_those_of_japan() -> None:
    def at_utc(hour: int, minute: int, second: int) -> bool:
        now = datetime(2026, 6, 9, hour, minute, second, tzinfo=UTC)
        return isinstance(decide(line(), "conversion", {}, now, POLICY), list)

    assert [at_utc(23, 29, 59), at_utc(23, 30, 0), at_utc(12, 59, 59), at_utc(13, 0, 0)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.rule("COL-1")
@pytest.mark.parametrize(
    ("now", "lapses"),
    [
        ("2026-06-01 08:30:00", "2026-06-16 00:00"),
        ("2026-06-01 21:59:59", "2026-06-16 00:00"),
        ("2026-06-16 12:00:00", "2026-07-01 00:00"),
        ("2026-06-20 12:00:00", "2026-07-05 00:00"),
        ("2026-12-28 21:59:59", "2027-01-12 00:00"),  # the closed days count
        ("2028-02-20 12:00:00", "2028-03-06 00:00"),
    ],
)
def test_it_is_valid_for_fifteen_days_the_day_of_issue_included(now: str, lapses: str) -> None:
    assert dates(accepted("conversion", now, holdings=Holdings())) == {"number_lapses": lapses}


@pytest.mark.rule("COL-5")
def test_what_will_be_lost_is_shown_by_id_item_and_fee_with_no_date_yet() -> None:
    effects = accepted("conversion")
    assert told(effects) == [
        ("number_lapses", None, None),
        ("passport_id_deleted", "i-1", None),
        ("passport_id_deleted", "i-2", None),
        ("monthly_item_ended", "u-1", None),
        ("monthly_item_ended", "u-2", None),
        ("provider_cancellation_fee", "u-1", 1000),
        ("points_forfeited", None, 1200),
        ("matomete_ends", None, None),
    ]
    assert {effect.at for effect in effects[1:]} == {None}


@pytest.mark.rule("COL-5")
def test_a_line_with_nothing_on_it_loses_nothing() -> None:
    assert told(accepted("conversion", holdings=Holdings())) == [("number_lapses", None, None)]


@pytest.mark.rule("COL-5")
def test_no_number_without_the_word_of_a_preview_that_still_holds() -> None:
    shown = accepted("conversion")
    word = consent("k-1", "conversion", {}, shown)
    cheaper = Holdings(
        passport_ids=FULL.passport_ids, items=[Item(purchase_id="u-1", passport_id="i-1"), FULL.items[1]]
    )
    fewer = FULL.model_copy(update={"passport_ids": ["i-1"]})

    def said(given: str | None, now: str = "2026-06-10 12:00:00", holdings: Holdings = FULL) -> str | None:
        effects = accepted("conversion", now, holdings=holdings)
        no = missing_consent("k-1", "conversion", {}, effects, given)
        return no.reason if no else None

    assert said(word) is None
    assert said(word, "2026-06-10 21:59:59") is None
    assert said(None) == "consent_missing"
    assert said(word, "2026-06-11 08:30:00") == "consent_outdated"
    assert said(word, holdings=cheaper) == "consent_outdated"
    assert said(word, holdings=fewer) == "consent_outdated"


ADVANCES = """
state          event        reason
number_issued  take_up      ok
number_issued  switch_over  number_not_taken_up
taken_up       take_up      number_void
taken_up       switch_over  ok
gone           take_up      number_void
gone           switch_over  number_not_taken_up
"""


@pytest.mark.rule("COL-2")
@pytest.mark.rule("COL-3")
@pytest.mark.parametrize(
    ("state", "event", "reason"), [row.split() for row in ADVANCES.strip().splitlines()[1:]]
)
def test_first_it_is_taken_up_then_switched_over(state: str, event: str, reason: str) -> None:
    """`gone`: lapsed, superseded or converted, so that it is pending no more."""
    procedures = [] if state == "gone" else [pending("conversion", state)]
    no = cannot_advance(line(procedures=procedures), "p-conversion", event)
    assert (no.reason if no else "ok") == reason
    assert no is None or no.rule == "COL-2"


@pytest.mark.rule("CAL-4")
def test_a_number_is_not_taken_up_on_a_line_that_is_ending() -> None:
    ending = line(
        state="ending", procedures=[pending("conversion", "number_issued"), pending("cancellation")]
    )
    no = cannot_advance(ending, "p-conversion", "take_up")
    assert no and (no.rule, no.reason) == ("CAL-4", "beside_cancellation")

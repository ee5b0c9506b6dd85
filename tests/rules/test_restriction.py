"""Restricting a passport ID, and the only way back."""

from datetime import timedelta

import pytest

from rules import unrestriction
from tests.rules.cases import POLICY, at
from tests.rules.lines import accepted, judged, pending, refused, told

NIGHT = ["2026-06-10 03:00:00", "2026-06-25 12:00:00", "2027-01-01 00:00:00"]
OTHER = {"passport_id": "i-2"}


@pytest.mark.rule("MAT-9")
@pytest.mark.parametrize("now", NIGHT)
def test_an_id_is_restricted_at_any_hour_and_its_monthly_items_end_at_once(now: str) -> None:
    effects = accepted("restriction", now)
    assert told(effects) == [("monthly_item_ended", "u-1", None)]
    assert effects[0].at == at(now)


@pytest.mark.rule("MAT-9")
def test_the_items_of_the_line_s_other_ids_go_on() -> None:
    effects = accepted("restriction", body=OTHER, restricted=[])
    assert [effect.purchase_id for effect in effects] == ["u-2"]


@pytest.mark.rule("MAT-9")
def test_an_id_is_restricted_once() -> None:
    no = refused("restriction", body=OTHER)
    assert (no.rule, no.reason, no.opens_at) == ("MAT-9", "restricted_already", None)


@pytest.mark.rule("MAT-9")
def test_the_other_ids_can_be_restricted_while_one_waits_for_its_form() -> None:
    waiting = [pending("unrestriction", "form_sent", passport_id="i-2")]
    assert isinstance(judged("restriction", procedures=waiting), list)


@pytest.mark.rule("MAT-10")
@pytest.mark.parametrize("now", NIGHT)
def test_a_form_can_be_asked_for_at_any_hour_and_costs_nothing(now: str) -> None:
    effects = accepted("unrestriction", now)
    assert [(one.what, one.at, one.passport_id, one.amount, one.count) for one in effects] == [
        ("form_lapses", None, "i-2", None, 60)
    ]


@pytest.mark.rule("MAT-10")
def test_none_is_sent_for_an_id_that_is_not_restricted() -> None:
    no = refused("unrestriction", body={"passport_id": "i-1"})
    assert (no.rule, no.reason) == ("MAT-10", "not_restricted")


@pytest.mark.rule("MAT-10")
@pytest.mark.parametrize("state", ["form_requested", "form_sent", "form_received"])
def test_one_form_at_a_time_is_out_for_an_id(state: str) -> None:
    no = refused("unrestriction", procedures=[pending("unrestriction", state, passport_id="i-2")])
    assert (no.rule, no.reason) == ("MAT-10", "form_asked_for")


@pytest.mark.rule("MAT-10")
def test_each_restricted_id_has_a_form_of_its_own() -> None:
    out = [pending("unrestriction", "form_sent", passport_id="i-1")]
    assert isinstance(judged("unrestriction", restricted=["i-1", "i-2"], procedures=out), list)


@pytest.mark.rule("MAT-10")
@pytest.mark.parametrize(
    ("sent", "last_day"),
    [
        ("2026-06-01 00:00:00", "2026-07-31"),
        ("2026-06-01 23:59:59", "2026-07-31"),
        ("2026-12-31 12:00:00", "2027-03-01"),
        ("2028-01-01 12:00:00", "2028-03-01"),
    ],
)
def test_a_form_may_be_back_on_the_sixtieth_day_after_it_was_sent(sent: str, last_day: str) -> None:
    lapses = unrestriction.lapses_at(at(sent), POLICY)
    assert f"{lapses - timedelta(days=1):%Y-%m-%d %H:%M:%S}" == f"{last_day} 00:00:00"
    assert (lapses.date() - at(sent).date()).days == 61

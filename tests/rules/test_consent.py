"""Shown before it is done: what takes something away for good needs the word of a preview that still holds."""

from typing import Any

import pytest

from rules.decision import missing_consent
from rules.effects import Effect, consent
from tests.rules.cases import CARD, STANDARD, accepted

EFFECTS = accepted("plan_change", STANDARD, "2026-06-10 12:00:00")
GIVEN = consent("k-1", "plan_change", STANDARD, EFFECTS)


def answer(given: str | None, *, kind: str = "plan_change", effects: list[Effect] = EFFECTS) -> str | None:
    no = missing_consent("k-1", kind, STANDARD, effects, given)
    return no.reason if no else None


@pytest.mark.parametrize(
    ("given", "reason"),
    [(GIVEN, None), (None, "consent_missing"), ("", "consent_outdated"), ("x", "consent_outdated")],
)
def test_it_must_be_the_word_of_the_preview(given: str | None, reason: str | None) -> None:
    assert answer(given) == reason


def test_it_holds_as_long_as_the_effects_are_the_same() -> None:
    later = accepted("plan_change", STANDARD, "2026-06-15 23:59:59")
    assert answer(GIVEN, effects=later) is None


def test_it_holds_no_longer_when_the_effects_are_others() -> None:
    next_month = accepted("plan_change", STANDARD, "2026-07-01 00:00:00")
    assert answer(GIVEN, effects=next_month) == "consent_outdated"


@pytest.mark.parametrize(
    ("contract_id", "kind", "body"),
    [
        ("k-2", "plan_change", STANDARD),
        ("k-1", "cancellation", STANDARD),
        ("k-1", "plan_change", {**STANDARD, "plan": "wifi-50"}),
    ],
)
def test_it_stands_for_one_contract_one_kind_and_one_body(
    contract_id: str, kind: str, body: dict[str, Any]
) -> None:
    assert consent(contract_id, kind, body, EFFECTS) != GIVEN


def test_it_is_the_same_after_the_effects_went_over_the_wire() -> None:
    read_back = [Effect.model_validate_json(effect.model_dump_json()) for effect in EFFECTS]
    assert consent("k-1", "plan_change", STANDARD, read_back) == GIVEN


@pytest.mark.parametrize(
    ("kind", "body"), [("support_option", {"option": "support"}), ("payment_method", CARD)]
)
def test_what_takes_nothing_away_needs_none(kind: str, body: dict[str, Any]) -> None:
    assert missing_consent("k-1", kind, body, [], None) is None

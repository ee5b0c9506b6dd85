"""A new access key for one that was lost or leaked: on a telephone application, inside its hours (IDN-2)."""

from __future__ import annotations

from rules import hours
from rules.ask import Ask
from rules.calendar import end_of
from rules.effects import Effect
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """IDN-2: 09:00 to 17:00, on any day but those around New Year, as long as the line is in force."""
    figures, last = ask.policy.access_key, ask.contract.in_force_to
    opens_at = hours.closed_until(ask.now, figures.opens, figures.closes, ask.policy.year_end)
    if opens_at is None:
        return None
    if last and opens_at >= end_of(last):
        return Refusal(rule="IDN-2", reason="access_key_no_more")
    return Refusal(rule="IDN-2", reason="access_key_hours", opens_at=opens_at)


def effects(ask: Ask) -> list[Effect]:
    """It costs nothing."""
    return []

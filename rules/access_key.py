"""A new access key for one that was lost or leaked: on a telephone application, inside its hours (IDN-2)."""

from __future__ import annotations

from rules import hours
from rules.ask import Ask
from rules.effects import Effect
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """IDN-2: 09:00 to 17:00, on any day but those around New Year."""
    figures = ask.policy.access_key
    opens_at = hours.closed_until(ask.now, figures.opens, figures.closes, ask.policy.year_end)
    return Refusal(rule="IDN-2", reason="access_key_hours", opens_at=opens_at) if opens_at else None


def effects(ask: Ask) -> list[Effect]:
    """It costs nothing."""
    return []

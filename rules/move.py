"""Moving a line to another address keeps everything that hangs on it (LIN-3)."""

from __future__ import annotations

from rules.ask import Ask
from rules.effects import Effect
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """Only the table has something against it."""
    return None


def effects(ask: Ask) -> list[Effect]:
    """Nothing is lost and nothing is charged."""
    return []

"""Changing the type of a line keeps everything that hangs on it (LIN-3)."""

from __future__ import annotations

from rules.ask import Ask
from rules.effects import Effect
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """LIN-3: to another type than the one that the line is."""
    if ask.body["line_type"] == ask.contract.line_type:
        return Refusal(rule="LIN-3", reason="same_line_type")
    return None


def effects(ask: Ask) -> list[Effect]:
    """Nothing is lost and nothing is charged."""
    return []

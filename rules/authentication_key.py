"""A key with which points are exchanged from anywhere: issued by post, then registered (PNT-7)."""

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


def unknown() -> Refusal:
    """PNT-7: only the key that was issued last can be registered."""
    return Refusal(rule="PNT-7", reason="key_unknown")

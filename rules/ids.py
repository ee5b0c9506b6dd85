"""IDs that stand in the order in which they were given out: docs/decisions/time-ordered-ids.md."""

from __future__ import annotations

from datetime import datetime

RANDOM_DIGITS = 20


def in_order(at: datetime, rest: str) -> str:
    """32 hexadecimal digits: 12 of the instant, in milliseconds, then 20 of `rest`, which nobody can guess."""
    return f"{int(at.timestamp() * 1000):012x}{rest[:RANDOM_DIGITS]}"

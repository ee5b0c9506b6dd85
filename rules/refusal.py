"""A refusal is a value: which rule says no, why, and, where the calendar is the cause, when it would say yes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """`reason` names the text that explains it (rules/texts.toml); `opens_at` is set only by the calendar."""

    rule: str
    reason: str
    opens_at: datetime | None = None
    data: dict[str, Any] = {}

"""What a request leads to, computed by the same code for the preview and for the act."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

What = Literal[
    "contract_begins",
    "contract_ends",
    "fee",
    "deposit_forfeited",
    "prepaid_months_forfeited",
    "device_return_due",
    "option_begins",
    "option_ends",
    "cover_begins",
    "passport_id_deleted",
    "monthly_item_ended",
    "provider_cancellation_fee",
    "points_forfeited",
    "matomete_ends",
    "number_lapses",
    "form_lapses",
]


class Effect(BaseModel):
    """One dated consequence. `amount` is yen without tax, or points; `at` is None where nobody knows the moment yet.

    What hangs on a line is named by its opaque ID: its name is read from the store when the effect is shown, so that a
    deleted one can be read nowhere (COL-7).
    """

    what: What
    at: datetime | None = None
    amount: int | None = None
    item: str | None = None
    count: int | None = None
    passport_id: str | None = None
    purchase_id: str | None = None


def by_date(effects: list[Effect]) -> list[Effect]:
    """Oldest first; what has no date yet comes last."""
    return sorted(effects, key=lambda effect: (effect.at is None, effect.at.timestamp() if effect.at else 0))


def consent(contract_id: str, kind: str, body: dict[str, Any], effects: list[Effect]) -> str:
    """The word by which a caller says yes to exactly these effects of this request."""
    shown = [effect.model_dump(mode="json", exclude_none=True) for effect in effects]
    text = json.dumps([contract_id, kind, body, shown], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""Restricting a passport ID: online, free, at once (MAT-9)."""

from __future__ import annotations

from rules.ask import Ask
from rules.effects import Effect
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """MAT-9: one that is restricted already stays as it is."""
    if ask.body["passport_id"] in ask.contract.restricted:
        return Refusal(rule="MAT-9", reason="restricted_already")
    return None


def effects(ask: Ask) -> list[Effect]:
    """No monthly item of the ID is settled any more."""
    found = [item for item in ask.holdings.items if item.passport_id == ask.body["passport_id"]]
    return [Effect(at=ask.now, what="monthly_item_ended", purchase_id=item.purchase_id) for item in found]

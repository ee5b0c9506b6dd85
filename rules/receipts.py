"""Receipts exist for card payments only (RNT-16)."""

from __future__ import annotations

from rules.refusal import Refusal


def refusal(payment_method: str) -> Refusal | None:
    """RNT-16 for what is not paid by card."""
    if payment_method == "credit_card":
        return None
    return Refusal(rule="RNT-16", reason="receipt_for_card_only", data={"method": payment_method})

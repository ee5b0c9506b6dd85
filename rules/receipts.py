"""Receipts exist for card payments only (RNT-16)."""

from __future__ import annotations

from rules.facts import Contract
from rules.refusal import Refusal


def refusal(contract: Contract) -> Refusal | None:
    """RNT-16 for a contract that is not paid by card."""
    if contract.payment_method == "credit_card":
        return None
    return Refusal(rule="RNT-16", reason="receipt_for_card_only", data={"method": contract.payment_method})

"""Change of payment method of a rental (RNT-14, RNT-15, LIN-2 for what a product takes)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.ask import Ask
from rules.calendar import day_of, midnight
from rules.effects import Effect
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal

TAKEN: dict[str, frozenset[str]] = {
    "rental": frozenset({"credit_card", "atone", "np_invoice"}),
    "line": frozenset({"credit_card", "account_transfer", "invoice", "isp_collection"}),
}


def not_taken(product: str, method: str) -> Refusal | None:
    """A method that this product is never paid by (RNT-15, LIN-2)."""
    if method in TAKEN[product]:
        return None
    rule = {"rental": "RNT-15", "line": "LIN-2"}[product]
    return Refusal(rule=rule, reason="method_not_for_product", data={"method": method})


def refusal(ask: Ask) -> Refusal | None:
    """RNT-15: to card only. RNT-14: card data not on the settlement day, and elsewhere for old applications.

    A line may change between all its methods, on any day (LIN-5).
    """
    method = ask.body["payment"]["method"]
    if ask.contract.product == "line":
        return not_taken("line", method)
    if method != "credit_card":
        return Refusal(rule="RNT-15", reason="to_card_only", data={"method": method})
    return (
        _card_refusal(ask.now, ask.contract, ask.policy)
        if ask.contract.payment_method == "credit_card"
        else None
    )


def _card_refusal(now: datetime, contract: Contract, policy: Policy) -> Refusal | None:
    today = day_of(now)
    if day_of(contract.applied_at) <= policy.card.legacy_applied_until:
        page = policy.card.legacy_page
        return Refusal(rule="RNT-14", reason="legacy_card_page", data={"legacy_page": page})
    if today.day == policy.windows.settlement_day:
        opens = midnight(today + timedelta(days=1))
        return Refusal(rule="RNT-14", reason="card_on_settlement_day", opens_at=opens)
    return None


def effects(ask: Ask) -> list[Effect]:
    """A change of payment method costs nothing and takes nothing away."""
    return []

"""One way to judge a request, for the preview and for the act: first the table (CAL-4), then the request's own rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from rules import beside, cancellation, payment_method, plan_change, support_option
from rules.effects import Effect, by_date, consent
from rules.facts import Contract
from rules.policy import Policy
from rules.refusal import Refusal

CONSENTED = frozenset({"plan_change", "cancellation"})


class Rules(Protocol):
    """What a kind of request says about itself."""

    def refusal(
        self, contract: Contract, body: dict[str, Any], now: datetime, policy: Policy, /
    ) -> Refusal | None: ...

    def effects(
        self, contract: Contract, body: dict[str, Any], now: datetime, policy: Policy, /
    ) -> list[Effect]: ...


KINDS: dict[str, Rules] = {
    "plan_change": plan_change,
    "cancellation": cancellation,
    "support_option": support_option,
    "payment_method": payment_method,
}


def decide(
    contract: Contract, kind: str, body: dict[str, Any], now: datetime, policy: Policy
) -> Refusal | list[Effect]:
    """The effects by date, or the refusal, of asking for `kind` with `body` at `now`."""
    rules = KINDS[kind]
    no = beside.refusal(contract, kind) or rules.refusal(contract, body, now, policy)
    return no or by_date(rules.effects(contract, body, now, policy))


def missing_consent(
    contract_id: str, kind: str, body: dict[str, Any], effects: list[Effect], given: str | None
) -> Refusal | None:
    """What takes something away for good needs the word of a preview that still holds: none 428, another 412."""
    if kind not in CONSENTED or given == consent(contract_id, kind, body, effects):
        return None
    return Refusal(rule="consent", reason="consent_missing" if given is None else "consent_outdated")

"""One way to judge a request, for the preview and for the act: first the table (CAL-4), then the request's own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from rules import (
    access_key,
    authentication_key,
    beside,
    cancellation,
    conversion,
    line_type_change,
    membership,
    move,
    payment_method,
    plan_change,
    restriction,
    support_option,
    unrestriction,
)
from rules.ask import Ask
from rules.change import Holdings
from rules.effects import Effect, by_date, consent
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal

CONSENTED = frozenset({"plan_change", "cancellation", "conversion"})


class Rules(Protocol):
    """What a kind of request says about itself."""

    def refusal(self, ask: Ask, /) -> Refusal | None: ...

    def effects(self, ask: Ask, /) -> list[Effect]: ...


KINDS: dict[str, Rules] = {
    "access_key": access_key,
    "authentication_key": authentication_key,
    "cancellation": cancellation,
    "conversion": conversion,
    "line_type_change": line_type_change,
    "membership": membership,
    "move": move,
    "payment_method": payment_method,
    "plan_change": plan_change,
    "restriction": restriction,
    "support_option": support_option,
    "unrestriction": unrestriction,
}
OF_PRODUCT: dict[str, frozenset[str]] = {
    "rental": frozenset({"plan_change", "cancellation", "support_option", "payment_method"}),
    "line": frozenset(
        {
            "cancellation",
            "conversion",
            "line_type_change",
            "move",
            "payment_method",
            "restriction",
            "unrestriction",
        }
    ),
}


def decide(
    contract: Contract,
    kind: str,
    body: dict[str, Any],
    now: datetime,
    policy: Policy,
    holdings: Holdings | None = None,
) -> Refusal | list[Effect]:
    """The effects by date, or the refusal, of asking for `kind` with `body` at `now`."""
    ask = Ask(contract, body, now, policy, holdings or Holdings())
    no = beside.refusal(contract, kind)
    no = _with_opening(no, kind, ask) if no else KINDS[kind].refusal(ask)
    return no or effects(kind, ask)


def _with_opening(no: Refusal, kind: str, ask: Ask) -> Refusal:
    """What waits for nothing but the 1st on which a successor begins is taken from then on."""
    begins = next((p.due_at for p in ask.contract.procedures if p.kind == "application"), None)
    if no.reason != "beside_application" or begins is None:
        return no
    others = [p for p in ask.contract.procedures if p.kind != "application"]
    begun = ask.contract.model_copy(update={"state": "active", "procedures": others})
    later = beside.refusal(begun, kind) or KINDS[kind].refusal(replace(ask, contract=begun, now=begins))
    return no if later else Refusal(rule=no.rule, reason="beside_successor", opens_at=begins)


def effects(kind: str, ask: Ask) -> list[Effect]:
    """What an accepted request leads to, by date."""
    return by_date(KINDS[kind].effects(ask))


def agreed_to(kind: str, effects: list[Effect], now: datetime) -> list[Effect]:
    """Where nobody has to agree, what happens at once does so at any moment: it makes no consent outdated."""
    if kind in CONSENTED:
        return effects
    return [effect.model_copy(update={"at": None}) if effect.at == now else effect for effect in effects]


def missing_consent(
    contract_id: str, kind: str, body: dict[str, Any], effects: list[Effect], given: str | None
) -> Refusal | None:
    """What takes something away for good needs the word of a preview that still holds: none 428, another 412."""
    if kind not in CONSENTED or given == consent(contract_id, kind, body, effects):
        return None
    return Refusal(rule="consent", reason="consent_missing" if given is None else "consent_outdated")

"""Contracts to judge, and instants as people write them."""

from datetime import date, datetime
from typing import Any

from rules import policy
from rules.calendar import JST
from rules.decision import decide
from rules.effects import Effect
from rules.facts import Contract
from rules.refusal import Refusal

POLICY = policy.load()
STANDARD = {"plan": "wifi-100", "course": "standard"}
CARD = {"payment": {"method": "credit_card", "payment_id": "pay-2"}}


def at(text: str) -> datetime:
    """`2026-06-15 23:59:59` in Japan."""
    return datetime.fromisoformat(text).replace(tzinfo=JST)


def rental(**facts: Any) -> Contract:
    """A rental in force since 1 April 2026."""
    given: dict[str, Any] = {
        "contract_id": "k-1",
        "product": "rental",
        "state": "active",
        "policy": policy.current_digest(),
        "applied_at": at("2026-03-20 10:00:00"),
        "plan": "wifi-50",
        "course": "standard",
        "payment_method": "credit_card",
        "payment_id": "pay-1",
        "in_force_from": date(2026, 4, 1),
        "started_at": at("2026-04-01 09:00:00"),
    }
    return Contract(**{**given, **facts})


def judged(kind: str, body: dict[str, Any], now: str, **facts: Any) -> list[Effect] | Refusal:
    """What comes of asking for `kind` at `now` on a rental with `facts`."""
    return decide(rental(**facts), kind, body, at(now), POLICY)


def accepted(kind: str, body: dict[str, Any], now: str, **facts: Any) -> list[Effect]:
    """The effects; fails where it was refused."""
    found = judged(kind, body, now, **facts)
    assert not isinstance(found, Refusal), found
    return found


def refused(kind: str, body: dict[str, Any], now: str, **facts: Any) -> Refusal:
    """The refusal; fails where it was accepted."""
    found = judged(kind, body, now, **facts)
    assert isinstance(found, Refusal), found
    return found


def dates(effects: list[Effect]) -> dict[str, str]:
    """When each kind of effect happens."""
    return {effect.what: f"{effect.at:%Y-%m-%d %H:%M}" for effect in effects}


def amounts(effects: list[Effect]) -> dict[str, int | None]:
    """How much each kind of effect is."""
    return {effect.what: effect.amount for effect in effects}

"""Line contracts to judge, and what hangs on them."""

from datetime import date
from typing import Any

from rules import policy
from rules.change import Holdings, Item
from rules.decision import decide
from rules.effects import Effect
from rules.facts import Contract, Procedure
from rules.refusal import Refusal
from tests.rules.cases import POLICY, at

IN_TIME = "2026-06-10 12:00:00"
FULL = Holdings(
    passport_ids=["i-1", "i-2"],
    items=[
        Item(purchase_id="u-1", passport_id="i-1", cancellation_fee=1000),
        Item(purchase_id="u-2", passport_id="i-2"),
    ],
    points=1200,
)
BODIES: dict[str, dict[str, Any]] = {
    "cancellation": {},
    "payment_method": {"payment": {"method": "invoice", "payment_id": "pay-2"}},
    "conversion": {},
    "move": {},
    "line_type_change": {"line_type": "cross"},
    "restriction": {"passport_id": "i-1"},
    "unrestriction": {"passport_id": "i-2"},
    "access_key": {},
    "membership": {"easy": False},
    "authentication_key": {},
}


def line(**facts: Any) -> Contract:
    """A Next line in force since 1 April 2026; its ID i-2 is restricted."""
    given: dict[str, Any] = {
        "contract_id": "k-1",
        "product": "line",
        "state": "active",
        "policy": policy.current_digest(),
        "applied_at": at("2026-03-20 10:00:00"),
        "line_type": "next",
        "monthly_cap": 50000,
        "restricted": ["i-2"],
        "access_key_issue": 1,
        "payment_method": "credit_card",
        "payment_id": "pay-1",
        "in_force_from": date(2026, 4, 1),
        "started_at": at("2026-04-01 09:00:00"),
    }
    return Contract(**{**given, **facts})


def pending(kind: str, state: str = "accepted", **data: Any) -> Procedure:
    return Procedure(
        policy=policy.current_digest(),
        procedure_id=f"p-{kind}",
        kind=kind,
        state=state,
        waiting_on="calendar",
        data=data,
    )


def judged(
    kind: str,
    now: str = IN_TIME,
    body: dict[str, Any] | None = None,
    holdings: Holdings = FULL,
    **facts: Any,
) -> list[Effect] | Refusal:
    """What comes of asking for `kind` at `now` on a line with `facts`."""
    return decide(line(**facts), kind, BODIES[kind] if body is None else body, at(now), POLICY, holdings)


def accepted(kind: str, now: str = IN_TIME, **more: Any) -> list[Effect]:
    """The effects; fails where it was refused."""
    found = judged(kind, now, **more)
    assert not isinstance(found, Refusal), found
    return found


def refused(kind: str, now: str = IN_TIME, **more: Any) -> Refusal:
    """The refusal; fails where it was accepted."""
    found = judged(kind, now, **more)
    assert isinstance(found, Refusal), found
    return found


def verdict(kind: str, now: str = IN_TIME, **more: Any) -> str:
    """`ok`, or the rule that says no."""
    found = judged(kind, now, **more)
    return found.rule if isinstance(found, Refusal) else "ok"


def told(effects: list[Effect]) -> list[tuple[str, str | None, int | None]]:
    """Each effect: what, of which ID or item, how much."""
    return [(effect.what, effect.passport_id or effect.purchase_id, effect.amount) for effect in effects]

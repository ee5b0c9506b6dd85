"""Whom a pending procedure waits for, by kind and state."""

from __future__ import annotations

from rules.collection import STEPS
from rules.facts import WaitingOn

_DEVICE: dict[str, WaitingOn] = {
    "accepted": "calendar",
    "awaiting_device": "customer",
    "device_overdue": "customer",
}
_WAITING: dict[str, dict[str, WaitingOn]] = {
    "application": {"applied": "operator", "preparing": "operator"},
    "plan_change": _DEVICE,
    "cancellation": _DEVICE,
    "support_option": {"accepted": "calendar"},
    "payment_method": {},
    "restriction": {},
    "unrestriction": {"form_requested": "operator", "form_sent": "customer", "form_received": "operator"},
    "conversion": {"number_issued": "customer", "taken_up": "other_operator"},
    "membership": {"requested": "operator", "link_sent": "customer"},
    "move": {"accepted": "operator"},
    "line_type_change": {"accepted": "operator"},
    "collection": dict.fromkeys(STEPS, "customer"),
}


def waiting_on(kind: str, state: str) -> WaitingOn:
    """`nobody` where the next step is nobody's to take."""
    return _WAITING[kind].get(state, "nobody")

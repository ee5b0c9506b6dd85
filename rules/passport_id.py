"""Passport IDs: how they are written, how many, and what is refused (MAT-2 to MAT-4, MAT-8, MAT-10)."""

from __future__ import annotations

import re
from datetime import datetime

from rules import collection
from rules.calendar import end_of
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal

IN_FORCE = frozenset({"active", "suspended", "ending"})
PASSWORD = re.compile(r"[A-Za-z0-9]{4,10}")


def name_fault(name: str, policy: Policy) -> str | None:
    """The name of what is wrong with how a name is written; None where nothing is (MAT-2)."""
    if name != name.strip():
        return "space_at_end"
    if not re.fullmatch(rf"[A-Za-z0-9{re.escape(policy.passport_id.symbols)}]{{4,60}}", name):
        return "passport_name"
    return None


def password_fault(password: str) -> str | None:
    """The same for a password (MAT-2)."""
    if password != password.strip():
        return "space_at_end"
    return None if PASSWORD.fullmatch(password) else "passport_password"


def not_here(contract: Contract, now: datetime) -> Refusal | None:
    """A passport ID is for a line in force (MAT-1); nothing new begins on one that is ending (CAL-4)."""
    if contract.product != "line":
        return Refusal(rule="MAT-1", reason="line_needed")
    state = state_at(contract, now)
    return None if state == "active" else Refusal(rule="CAL-4", reason="not_in_force", data={"state": state})


def too_many(living: int, policy: Policy) -> Refusal | None:
    """MAT-3."""
    return Refusal(rule="MAT-3", reason="too_many_ids") if living >= policy.line.passport_ids else None


def cap_too_high(contract: Contract, cap: int | None) -> Refusal | None:
    """MAT-4: an ID's cap lies inside its line's."""
    if cap is None or contract.monthly_cap is None or cap <= contract.monthly_cap:
        return None
    return Refusal(rule="MAT-4", reason="cap_above_line", data={"cap": contract.monthly_cap})


def suspended(contract: Contract, now: datetime) -> Refusal | None:
    """BIL-3: while a bill keeps the service suspended nothing is bought; a line that is ending too may be."""
    return Refusal(rule="BIL-3", reason="suspended") if collection.suspended(contract, now) else None


def name_taken() -> Refusal:
    """MAT-2: over all lines, case counting."""
    return Refusal(rule="MAT-2", reason="name_taken")


def restricted() -> Refusal:
    """MAT-10: nothing of a restricted ID is changed or deleted online."""
    return Refusal(rule="MAT-10", reason="restricted_id")


def state_at(contract: Contract, now: datetime) -> str:
    """The state by the contract's dates, whether or not a timer has fired yet."""
    over = contract.state == "ending" and contract.in_force_to and now >= end_of(contract.in_force_to)
    if over or (contract.state in IN_FORCE and collection.terminated(contract, now)):
        return "ended"
    return (
        "suspended" if contract.state == "active" and collection.suspended(contract, now) else contract.state
    )


def not_in_force(contract: Contract, now: datetime) -> Refusal | None:
    """Until the line's end everything works (LIN-4); after it nothing does (CAL-4)."""
    state = state_at(contract, now)
    if contract.product == "line" and state in IN_FORCE:
        return None
    return Refusal(rule="CAL-4", reason="not_in_force", data={"state": state})

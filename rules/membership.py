"""Joining the members' club: by a mailed link, for one who cannot sign in after an operator's check (PNT-1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules import beside
from rules.ask import Ask
from rules.effects import Effect
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """PNT-1: nobody joins twice. The customer may ask anew; a stranger cannot make a link worthless that is out."""
    if ask.contract.member_since:
        return Refusal(rule="PNT-1", reason="member_already")
    if ask.body["easy"] and ask.contract.pending("membership"):
        return Refusal(rule="PNT-1", reason="membership_asked_for")
    return None


def effects(ask: Ask) -> list[Effect]:
    """Joining is free, and nothing is lost."""
    return []


def expires_at(sent: datetime, policy: Policy) -> datetime:
    """When a link sent at `sent` opens no more."""
    return sent + timedelta(days=policy.points.link_valid_days)


def checked_by(asked: datetime, policy: Policy) -> datetime:
    """By when an operator has checked an easy entry."""
    return asked + timedelta(days=policy.points.check_within_days)


def cannot_open(contract: Contract, procedure_id: str) -> Refusal | None:
    """PNT-1: a link is good once and for a time, and only until a newer one is asked for."""
    procedure = contract.procedure(procedure_id)
    if procedure and procedure.state == "link_sent":
        return cannot_join(contract)
    return Refusal(rule="PNT-1", reason="link_void")


def cannot_join(contract: Contract) -> Refusal | None:
    """CAL-4: what was asked for in time is refused, too, once it could not be asked for any more: the line is ending."""
    return beside.refusal(contract, "membership")

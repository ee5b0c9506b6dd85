"""Lifting a restriction: on a written form that was received and approved, and in no other way (MAT-10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.ask import Ask
from rules.calendar import day_of, midnight
from rules.effects import Effect
from rules.figures import Policy
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """MAT-10: for a restricted ID, and one form at a time."""
    passport_id = ask.body["passport_id"]
    if passport_id not in ask.contract.restricted:
        return Refusal(rule="MAT-10", reason="not_restricted")
    asked = [p for p in ask.contract.procedures if p.kind == "unrestriction"]
    if any(procedure.data["passport_id"] == passport_id for procedure in asked):
        return Refusal(rule="MAT-10", reason="form_asked_for")
    return None


def effects(ask: Ask) -> list[Effect]:
    """The form lapses some time after it was sent, and nobody knows yet when that is."""
    days, passport_id = ask.policy.written_form.lapses_after_days, ask.body["passport_id"]
    return [Effect(at=None, what="form_lapses", count=days, passport_id=passport_id)]


def lapses_at(sent: datetime, policy: Policy) -> datetime:
    """When a form sent at `sent` lapses: the sixtieth day after it is the last on which it may be back."""
    return midnight(day_of(sent) + timedelta(days=policy.written_form.lapses_after_days + 1))

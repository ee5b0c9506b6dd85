"""Collabo conversion: the approval number, its hours and its end (COL-1, COL-2, COL-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules import hours, line
from rules.ask import Ask
from rules.calendar import day_of, midnight
from rules.effects import Effect
from rules.facts import Contract
from rules.figures import Policy
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """COL-1: numbers are issued from 08:30:00 to 21:59:59, not around New Year."""
    figures = ask.policy.conversion
    opens_at = hours.closed_until(ask.now, figures.opens, figures.closes, ask.policy.year_end)
    if opens_at is None:
        return None
    return Refusal(rule="COL-1", reason="conversion_hours", opens_at=opens_at)


def lapses_at(issued: datetime, policy: Policy) -> datetime:
    """00:00 of the sixteenth day, the day of issue included in the fifteen (COL-1)."""
    return midnight(day_of(issued) + timedelta(days=policy.conversion.valid_days))


def effects(ask: Ask) -> list[Effect]:
    """When the number lapses, and all that is lost at the switch-over, whenever that is."""
    return [Effect(at=lapses_at(ask.now, ask.policy), what="number_lapses"), *line.losses(ask.holdings, None)]


def cannot_advance(contract: Contract, procedure_id: str, event: str) -> Refusal | None:
    """Why the other operator's step is not possible: a void or lapsed number, or the steps in the wrong order (COL-2)."""
    procedure = contract.procedure(procedure_id)
    needed = {"take_up": "number_issued", "switch_over": "taken_up"}[event]
    if procedure is None or procedure.state != needed:
        return Refusal(
            rule="COL-2", reason="number_not_taken_up" if event == "switch_over" else "number_void"
        )
    if contract.state == "suspended" and event == "take_up":
        return Refusal(rule="CAL-4", reason="beside_suspended", data={"pending": "collection"})
    if contract.state not in ("active", "suspended"):
        return Refusal(rule="CAL-4", reason="beside_cancellation", data={"state": contract.state})
    return None

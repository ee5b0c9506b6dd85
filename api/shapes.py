"""How contracts, procedures and effects look from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from rules import texts
from rules.calendar import JST
from rules.effects import Effect
from rules.facts import Contract
from rules.texts import Language
from workflows import kinds


def iso(instant: datetime | None) -> str | None:
    return instant.astimezone(JST).isoformat() if instant else None


def day(value: Any) -> str | None:
    return value.isoformat() if value else None


def contract(stored: Contract, now: datetime) -> dict[str, Any]:
    """The contract at `now`: computed from its dates, whether or not a timer has fired yet."""
    found = kinds.as_of(stored, now)
    return {
        "contract_id": found.contract_id,
        "product": found.product,
        "state": found.state,
        "plan": found.plan,
        "course": found.course,
        "line_type": found.line_type,
        "payment_method": found.payment_method,
        "applied_at": iso(found.applied_at),
        "in_force_from": day(found.in_force_from),
        "in_force_to": day(found.in_force_to),
        "started_at": iso(found.started_at),
        "ended_at": iso(found.ended_at),
        "blocks": found.blocks,
        "pending": [
            {"procedure_id": p.procedure_id, "kind": p.kind, "state": p.state} for p in found.procedures
        ],
        **_of_line(found),
        "predecessor_contract_id": found.predecessor_contract_id,
        "successor_contract_id": found.successor_contract_id,
    }


def _of_line(found: Contract) -> dict[str, Any]:
    """What a line adds."""
    if found.product != "line":
        return {}
    return {
        "two_year_discount": found.two_year_discount,
        "monthly_cap": found.monthly_cap,
        "member_since": iso(found.member_since),
    }


def brief(stored: Contract, now: datetime) -> dict[str, Any]:
    """The contract as a session lists it."""
    found = kinds.as_of(stored, now)
    return {"contract_id": found.contract_id, "product": found.product, "state": found.state}


Names = dict[str, dict[str, Any]]
"""What may still be told of passport IDs and monthly items, by their opaque IDs."""


def effect(found: Effect, words: Language, named: Names | None = None) -> dict[str, Any]:
    """An effect with the names that still exist; a deleted ID has none (COL-7)."""
    told = (named or {}).get(found.passport_id or found.purchase_id or "", {})
    shown = {
        "at": iso(found.at),
        "what": found.what,
        "amount": found.amount,
        "text": texts.effect(found, words, **told),
    }
    extra = found.model_dump(mode="json", exclude={"at", "what", "amount"}, exclude_none=True)
    return shown | extra | told


def procedure(
    row: RowMapping, stored: Contract, now: datetime, words: Language, named: Names | None = None
) -> dict[str, Any]:
    """A procedure without its history: as the row says, or further along if its dates say so."""
    state, waiting_on, due_at = row["state"], row["waiting_on"], row["due_at"]
    present, closed = kinds.kept_until(stored, now)
    for found in [] if row["closed"] else [*present.procedures, *closed]:
        if found.procedure_id == row["procedure_id"]:
            state, waiting_on, due_at = found.state, found.waiting_on, found.due_at
    return {
        "procedure_id": row["procedure_id"],
        "kind": row["kind"],
        "contract_id": row["contract_id"],
        "state": state,
        "waiting_on": waiting_on,
        "due_at": iso(due_at),
        "effects": [effect(Effect.model_validate(one), words, named) for one in row["effects"]],
    }


def entry(row: RowMapping, words: Language) -> dict[str, Any]:
    """A line of the timeline."""
    return {
        "at": iso(row["at"]),
        "recorded_at": iso(row["recorded_at"]),
        "what": row["what"],
        "by": row["by"],
        "procedure_id": row["procedure_id"],
        "text": texts.entry(row["what"], row["data"], words),
    }


def move(row: RowMapping) -> dict[str, Any]:
    """A move of a procedure's machine."""
    return {
        "at": iso(row["at"]),
        "event": row["event"],
        "from": row["old"],
        "to": row["new"],
        "by": row["by"],
    }

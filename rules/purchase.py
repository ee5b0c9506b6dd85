"""What a purchase with a passport ID is refused for (MAT-4, MAT-5, MAT-9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.calendar import day_of, first_of_month, midnight
from rules.facts import Contract
from rules.passport_id import not_in_force
from rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Spent:
    """Yen of the running month, tax included: by the whole line, and by the one ID."""

    by_line: int
    by_id: int


def refusal(
    amount: int, spent: Spent, line_cap: int | None, id_cap: int | None, restricted: bool, from_line: bool
) -> Refusal | None:
    """`from_line`: it comes from the line the ID was issued on, or the ID does without (MAT-5)."""
    if restricted:
        return Refusal(rule="MAT-9", reason="restricted_purchase")
    if not from_line:
        return Refusal(rule="MAT-5", reason="not_from_line")
    return over_cap(amount, spent, line_cap, id_cap)


def over_cap(amount: int, spent: Spent, line_cap: int | None, id_cap: int | None) -> Refusal | None:
    """MAT-4. An amount without a cap is never over it."""
    if line_cap is not None and spent.by_line + amount > line_cap:
        return Refusal(rule="MAT-4", reason="over_line_cap")
    if id_cap is not None and spent.by_id + amount > id_cap:
        return Refusal(rule="MAT-4", reason="over_id_cap")
    return None


def with_opening(
    no: Refusal, amount: int, settled: Spent, contract: Contract, id_cap: int | None, now: datetime
) -> Refusal:
    """The refusal names the next 1st, if the same is taken then: `settled`, the monthly items, leaves room for it (MAT-4)."""
    on = midnight(first_of_month(day_of(now), 1))
    if over_cap(amount, settled, contract.monthly_cap, id_cap) or not_in_force(contract, on):
        return no
    return no.model_copy(update={"opens_at": on})

"""What a purchase with a passport ID is refused for (MAT-4, MAT-5, MAT-9)."""

from __future__ import annotations

from dataclasses import dataclass

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

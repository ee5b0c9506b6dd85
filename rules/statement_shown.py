"""A statement as people are shown it: over HTTP, on paper and in mails (BIL-1, BIL-8, BIL-9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules import texts
from rules.calendar import JST
from rules.figures import Policy
from rules.statement import TaxClass
from rules.texts import Language

Row = Mapping[Any, Any]
_AS_STORED = ("invoice", "payment_method", "billing_number")


def shown(row: Row, lines: Sequence[Row], figures: Policy, words: Language) -> dict[str, Any]:
    """A stored statement and its lines. `figures`: the policy by which it was made, as a closed month never changes."""
    told = [_line(line, figures, words) for line in lines]
    return {
        "period": row["period"],
        "contract_id": row["contract_id"],
        "lines": told,
        "subtotal": sum(line["amount"] for line in told),
        "tax": _tax(row, {line["tax_class"] for line in told}),
        "points_used": row["points_used"],
        "total_with_tax": row["total_with_tax"],
        **{name: row[name] for name in _AS_STORED},
        "due_on": row["due_on"].isoformat(),
        "paid_on": row["paid_on"].isoformat() if row["paid_on"] else None,
    }


def _line(line: Row, figures: Policy, words: Language) -> dict[str, Any]:
    names = ("kind", "item", "provider", "amount", "tax_class")
    text = texts.line(line["kind"], line["item"], figures, words, line["provider"])
    at = line["at"].astimezone(JST).isoformat()
    return {name: line[name] for name in names} | {"text": text, "at": at}


def _tax(row: Row, present: set[TaxClass]) -> list[dict[str, Any]]:
    """An entry for each class of tax that stands on the statement (BIL-9)."""
    classes: tuple[tuple[TaxClass, int, int, int], ...] = (
        ("standard", row["standard"], row["tax_percent"], row["tax"]),
        ("included", row["included"], 0, 0),
        ("none", row["untaxed"], 0, 0),
    )
    names = ("tax_class", "base", "rate", "amount")
    return [dict(zip(names, one, strict=True)) for one in classes if one[0] in present]

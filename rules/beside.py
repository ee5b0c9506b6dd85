"""CAL-4: what may be asked for while something else is pending, as one table, request × pending procedure."""

from __future__ import annotations

from rules.facts import Contract
from rules.refusal import Refusal

OVER = frozenset({"ended", "turned_down"})

# `ok`: this table has nothing against it. RNT-6 and RNT-9 name the repeated request itself.
_TABLE = """
request          application  plan_change  cancellation  support_option  payment_method
plan_change      CAL-4        RNT-6        CAL-4         ok              ok
cancellation     CAL-4        CAL-4        RNT-9         ok              ok
support_option   CAL-4        CAL-4        CAL-4         ok              ok
payment_method   ok           ok           ok            ok              CAL-4
"""


def _parse(table: str) -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {(row[0], pending): cell for row in rows for pending, cell in zip(head[1:], row[1:], strict=True)}


VERDICTS = _parse(_TABLE)
REQUESTS = tuple(dict.fromkeys(request for request, _ in VERDICTS))
PENDING = tuple(dict.fromkeys(pending for _, pending in VERDICTS))


def nothing_waits(contract: Contract) -> bool:
    """Over, and nothing about it is left to be done."""
    return contract.state in OVER and not (contract.procedures or contract.tasks or contract.deliveries)


def refusal(contract: Contract, kind: str) -> Refusal | None:
    """Why `kind` may not begin beside what is pending on `contract`, or None."""
    if contract.state in OVER:
        return Refusal(rule="CAL-4", reason="contract_over", data={"state": contract.state})
    for procedure in contract.procedures:
        verdict = VERDICTS[kind, procedure.kind]
        if verdict != "ok":
            return Refusal(rule=verdict, reason=f"beside_{procedure.kind}", data={"pending": procedure.kind})
    return None

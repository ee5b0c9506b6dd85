"""CAL-4: what may be asked for while something else is pending, as one table, request × pending procedure."""

from __future__ import annotations

from rules.collection import DEMANDING
from rules.facts import Contract, Procedure
from rules.refusal import Refusal

OVER = frozenset({"ended", "converted", "turned_down"})

# `ok`: this table has nothing against it. RNT-6 and RNT-9 name the repeated request itself; COL-2 weighs more once the
# other operator has taken the number up. What the rules grant to a contract's end is `ok` beside its end. An unpaid bill
# stands in the way of nothing until it suspends the service; from then on it does of all that would give more of it.
_RENTAL = """
request         application  plan_change  cancellation  support_option  payment_method  collection  suspended
plan_change     CAL-4        RNT-6        CAL-4         ok              ok              ok          CAL-4
cancellation    CAL-4        CAL-4        RNT-9         ok              ok              ok          ok
support_option  CAL-4        CAL-4        CAL-4         ok              ok              ok          CAL-4
payment_method  ok           ok           ok            ok              CAL-4           ok          ok
"""
_LINE = """
request           application  cancellation  payment_method  conversion  taken_up  move   line_type_change  unrestriction
cancellation      CAL-4        RNT-9         ok              ok          CAL-4     ok     ok                ok
payment_method    ok           ok            CAL-4           ok          ok        ok     ok                ok
conversion        CAL-4        CAL-4         ok              ok          COL-2     CAL-4  CAL-4             ok
move              CAL-4        CAL-4         ok              ok          CAL-4     CAL-4  CAL-4             ok
line_type_change  CAL-4        CAL-4         ok              ok          CAL-4     CAL-4  CAL-4             ok
restriction       CAL-4        ok            ok              ok          ok        ok     ok                ok
unrestriction     CAL-4        CAL-4         ok              ok          CAL-4     ok     ok                ok
access_key        CAL-4        ok            ok              ok          ok        ok     ok                ok
membership        CAL-4        CAL-4         ok              ok          CAL-4     ok     ok                ok
authentication_key CAL-4       ok            ok              ok          ok        ok     ok                ok
"""
_LINE_OWING = """
request           collection  suspended
cancellation      ok          ok
payment_method    ok          ok
conversion        ok          CAL-4
move              ok          CAL-4
line_type_change  ok          CAL-4
restriction       ok          ok
unrestriction     ok          ok
access_key        ok          ok
membership        ok          ok
authentication_key ok         ok
"""
# Whoever wants to join may ask anew; rules.membership says what an easy entry may not.
_LINE_JOINING = """
request            membership
cancellation       ok
payment_method     ok
conversion         ok
move               ok
line_type_change   ok
restriction        ok
unrestriction      ok
access_key         ok
membership         ok
authentication_key ok
"""


def _parse(table: str) -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {(row[0], pending): cell for row in rows for pending, cell in zip(head[1:], row[1:], strict=True)}


VERDICTS = {"rental": _parse(_RENTAL), "line": _parse(_LINE) | _parse(_LINE_OWING) | _parse(_LINE_JOINING)}


def nothing_waits(contract: Contract) -> bool:
    """Over, and nothing about it is left to be done."""
    return contract.state in OVER and is_quiet(contract)


def is_quiet(contract: Contract) -> bool:
    """Nothing about it is under way: whatever happens next somebody has to ask for."""
    return not (contract.procedures or contract.tasks or contract.deliveries)


def refusal(contract: Contract, kind: str) -> Refusal | None:
    """Why `kind` may not begin beside what is pending on `contract`, or None."""
    if no := over(contract):
        return no
    for procedure in contract.procedures:
        pending = column(procedure)
        verdict = VERDICTS[contract.product][kind, pending]
        if verdict != "ok":
            return Refusal(rule=verdict, reason=f"beside_{pending}", data={"pending": procedure.kind})
    return None


def over(contract: Contract) -> Refusal | None:
    """After the end nothing is written any more, or None."""
    if contract.state not in OVER:
        return None
    return Refusal(rule="CAL-4", reason="contract_over", data={"state": contract.state})


def column(procedure: Procedure) -> str:
    """Its kind, but for a conversion that has been taken up and a collection that suspends the service."""
    if procedure.kind == "collection" and procedure.state in DEMANDING:
        return "suspended"
    return "taken_up" if procedure.state == "taken_up" else procedure.kind

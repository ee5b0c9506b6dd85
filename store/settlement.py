"""The settlement of a month's statements, on the 25th after it, and what it leaves unpaid (BIL-3).

A job as the runs over all contracts know it: `chunk` settles in one transaction whatever is paid without asking anybody.
Cards are charged after it, and for what is then still unpaid collections begin: `activities/settlement.py`.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, exists, func, literal, select, update

from rules import jobs
from rules.calendar import day_of
from rules.figures import Policy
from store import bills
from store.ledger import CreditRow, PayingRow, StatementRow
from store.sql import AFTER, AT, AT_MOST, CONTRACT, PERIOD, UNTIL, parameter
from store.tables import PaymentRow
from store.write import insert_found, table

JOB = "settlement"
BY_CARD = "credit_card"
COLLECTED_FOR_US = ("account_transfer", "atone", "np_invoice", "isp_collection")
_rows, _credits = table(StatementRow), table(CreditRow)
_paying, _payments = table(PayingRow), table(PaymentRow)

_TO_PAY = (_rows.c.period == PERIOD) & (_rows.c.total_with_tax > 0)
_UNSETTLED = _rows.c.paid_on.is_(None) & _rows.c.collected_at.is_(None)
_OPEN = _TO_PAY & (_rows.c.contract_id > AFTER) & (_rows.c.contract_id <= UNTIL) & _UNSETTLED
_BY_OTHERS = _rows.c.payment_method.in_(COLLECTED_FOR_US)

_COUNT = select(func.count()).where(_TO_PAY)
_UNPAID = select(_rows.c.contract_id).where(_TO_PAY & _UNSETTLED)
_FIRST_UNPAID = _UNPAID.order_by(_rows.c.contract_id).limit(AT_MOST)
_UNPAID_BY = _UNPAID.where(_rows.c.contract_id == CONTRACT)

_CREDIT = ("credit_id", "contract_id", "period", "kind", "amount", "at")
_TO_COME = _rows.c.total_with_tax - bills.paid_so_far()
_CREDITED = select(
    parameter("the_settlement", str) + _rows.c.contract_id,
    *(_rows.c.contract_id, _rows.c.period, literal("settlement", String()), _TO_COME, AT),
).where(_OPEN, _BY_OTHERS)
# A payment of this moment has been written, or waits until these are and finds them paid.
_HOLD = select(func.count()).select_from(
    select(_rows.c.contract_id).where(_OPEN, _BY_OTHERS).with_for_update().subquery()
)
# A statement that month end made meanwhile has no credit yet: it stays open.
_HAS_CREDIT = exists().where(_credits.c.credit_id == parameter("the_settlement", str) + _rows.c.contract_id)
_SETTLE = update(_rows).where(_OPEN, _BY_OTHERS, _HAS_CREDIT).values(paid_on=parameter("the_day", date))


class Owed(NamedTuple):
    """A statement that neither was settled nor is collected: yen, and the gateway's reference of the card to be charged.

    No reference: it is not paid by card, or by one that the gateway never took.
    """

    contract_id: str
    amount: int
    reference: str | None


def due_at(period: str, policy: Policy) -> datetime:
    """When the statements of `period` are settled."""
    return jobs.due_at(policy.job(JOB), period)


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """Contracts with something to pay for the month."""
    return int(connection.execute(_COUNT, {"the_period": period}).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Settle what is paid by transfer, atone, NP or the provider; how many it was. Repeating it does nothing."""
    given = _given(period, after, until, policy)
    connection.execute(_HOLD, given)
    insert_found(connection, CreditRow, _CREDIT, _CREDITED, given)
    return int(connection.execute(_SETTLE, given).rowcount)


def _given(period: str, after: str, until: str, policy: Policy) -> dict[str, Any]:
    at = due_at(period, policy)
    given = {"the_period": period, "the_settlement": f"s-{period}-", "the_at": at, "the_day": day_of(at)}
    return given | {"the_after": after, "the_until": until}


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts whose statement is neither paid nor collected."""
    return list(connection.execute(_FIRST_UNPAID, {"the_period": period, "the_most": limit}).scalars())


def is_unpaid(connection: Connection, period: str, contract_id: str) -> bool:
    """Whether the contract's statement is neither paid nor collected."""
    given = {"the_period": period, "the_contract": contract_id}
    return connection.execute(_UNPAID_BY, given).first() is not None


def owed(
    connection: Connection, period: str, after: str, until: str, policy: Policy, limit: int
) -> list[Owed]:
    """The next statements of a range that are still open. A card is the latest given by the day of settlement."""
    given = _given(period, after, until, policy) | {"the_most": limit}
    return [Owed(*row) for row in connection.execute(_owed(), given)]


@cache
def _owed() -> Any:
    by_card = (_paying.c.contract_id == _rows.c.contract_id) & (_paying.c.method == BY_CARD)
    latest = select(_paying.c.payment_id).where(by_card, _paying.c.from_at <= AT)
    latest = latest.order_by(_paying.c.from_at.desc()).limit(1)
    # What was still to be paid when the settlement was due: asking the gateway again asks for the same.
    left_then = _rows.c.total_with_tax - bills.paid_so_far(_credits.c.at < AT)
    payment_id = func.coalesce(latest.correlate(_rows).scalar_subquery(), _rows.c.payment_id)
    card = (_payments.c.payment_id == payment_id) & (_rows.c.payment_method == BY_CARD)
    return (
        select(_rows.c.contract_id, left_then, _payments.c.reference)
        .select_from(_rows)
        .outerjoin(_payments, card)
        .where(_OPEN, ~_BY_OTHERS)
        .order_by(_rows.c.contract_id)
        .limit(AT_MOST)
    )


def charged(connection: Connection, period: str, done: list[Owed], policy: Policy) -> None:
    """The gateway took the money of these. Repeating it does nothing."""
    at = due_at(period, policy)
    credits = [
        {
            "credit_id": f"s-{period}-{one.contract_id}",
            "contract_id": one.contract_id,
            "period": period,
            "kind": "card",
            "amount": one.amount,
            "at": at,
        }
        for one in done
    ]
    if credits:
        bills.receive(connection, credits)
        named = _rows.c.contract_id.in_([one.contract_id for one in done])
        mine = (_rows.c.period == period) & named & _rows.c.paid_on.is_(None)
        connection.execute(update(_rows).where(mine).values(paid_on=day_of(at)))

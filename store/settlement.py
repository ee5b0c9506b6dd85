"""The settlement of a month's statements, on the 25th after it, and what it leaves unpaid (BIL-3).

A job as the runs over all contracts know it: `chunk` settles in one transaction whatever is paid without asking anybody.
Cards are charged after it, and for what is then still unpaid collections begin: `activities/settlement.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rules import jobs
from rules.calendar import day_of
from rules.figures import Policy
from store.ledger import CreditRow, PayingRow, StatementRow
from store.tables import PaymentRow
from store.write import table, upsert

JOB = "settlement"
BY_CARD = "credit_card"
COLLECTED_FOR_US = ("account_transfer", "atone", "np_invoice", "isp_collection")
_rows, _credits = table(StatementRow), table(CreditRow)
_paying, _payments = table(PayingRow), table(PaymentRow)


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
    return int(connection.execute(select(func.count()).where(_to_pay(period))).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Settle what is paid by transfer, atone, NP or the provider; how many it was. Repeating it does nothing."""
    at = due_at(period, policy)
    mine = _open(period, after, until) & _rows.c.payment_method.in_(COLLECTED_FOR_US)
    columns = ["credit_id", "contract_id", "period", "kind", "amount", "at"]
    credits = select(
        literal(f"s-{period}-") + _rows.c.contract_id,
        _rows.c.contract_id,
        _rows.c.period,
        literal("settlement", String()),
        _left(at),
        literal(at, _credits.c.at.type),
    ).where(mine)
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(_credits).from_select(columns, credits).on_conflict_do_nothing()
    connection.execute(new)
    return int(connection.execute(update(_rows).where(mine).values(paid_on=day_of(at))).rowcount)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts whose statement is neither paid nor collected."""
    found = select(_rows.c.contract_id).where(_to_pay(period) & _unsettled()).order_by(_rows.c.contract_id)
    return list(connection.execute(found.limit(limit)).scalars())


def owed(
    connection: Connection, period: str, after: str, until: str, policy: Policy, limit: int
) -> list[Owed]:
    """The next statements of a range that are still open. A card is the latest given by the day of settlement."""
    at = due_at(period, policy)
    given = (_paying.c.contract_id == _rows.c.contract_id) & (_paying.c.method == BY_CARD)
    latest = select(_paying.c.payment_id).where(given, _paying.c.from_at <= at)
    latest = latest.order_by(_paying.c.from_at.desc()).limit(1)
    payment_id = func.coalesce(latest.correlate(_rows).scalar_subquery(), _rows.c.payment_id)
    card = (_payments.c.payment_id == payment_id) & (_rows.c.payment_method == BY_CARD)
    found = (
        select(_rows.c.contract_id, _left(at), _payments.c.reference)
        .select_from(_rows)
        .outerjoin(_payments, card)
        .where(_open(period, after, until), _rows.c.payment_method.not_in(COLLECTED_FOR_US))
    )
    rows = connection.execute(found.order_by(_rows.c.contract_id).limit(limit))
    return [Owed(*row) for row in rows]


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
        upsert(connection, CreditRow, credits)
        named = _rows.c.contract_id.in_([one.contract_id for one in done])
        mine = (_rows.c.period == period) & named & _rows.c.paid_on.is_(None)
        connection.execute(update(_rows).where(mine).values(paid_on=day_of(at)))


def is_unpaid(connection: Connection, period: str, contract_id: str) -> bool:
    """Whether the contract's statement is neither paid nor collected."""
    mine = _to_pay(period) & _unsettled() & (_rows.c.contract_id == contract_id)
    return connection.execute(select(_rows.c.contract_id).where(mine)).first() is not None


def _to_pay(period: str) -> Any:
    return (_rows.c.period == period) & (_rows.c.total_with_tax > 0)


def _unsettled() -> Any:
    return _rows.c.paid_on.is_(None) & _rows.c.collected_at.is_(None)


def _open(period: str, after: str, until: str) -> Any:
    inside = (_rows.c.contract_id > after) & (_rows.c.contract_id <= until)
    return _to_pay(period) & inside & _unsettled()


def _left(at: datetime) -> Any:
    """What was still to be paid when the settlement was due, so that asking again asks for the same."""
    mine = (_credits.c.contract_id == _rows.c.contract_id) & (_credits.c.period == _rows.c.period)
    paid = select(func.coalesce(func.sum(_credits.c.amount), 0)).where(
        mine, _credits.c.kind != "over", _credits.c.at < at
    )
    return _rows.c.total_with_tax - paid.correlate(_rows).scalar_subquery()

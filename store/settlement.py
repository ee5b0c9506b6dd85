"""The settlement of a month's statements, on the 25th after it, and what it leaves unpaid (BIL-3).

A job as the runs over all contracts know it: `chunk` settles in one transaction whatever is paid without asking anybody.
Cards are charged after it, and for what is then still unpaid collections begin: `activities/settlement.py`.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    bindparam,
    exists,
    func,
    literal,
    select,
    union,
    update,
)

from rules import jobs
from rules.calendar import day_of
from rules.figures import Policy
from rules.runs import Range
from store import bills
from store.ledger import AskedRow, CreditRow, PayingRow, StatementRow
from store.sql import AFTER, AT, AT_MOST, CONTRACT, PERIOD, UNTIL, parameter
from store.tables import PaymentRow
from store.write import insert_found, table, upsert

JOB = "settlement"
BY_CARD = "credit_card"
COLLECTED_FOR_US = ("account_transfer", "atone", "np_invoice", "isp_collection")
_rows, _credits = table(StatementRow), table(CreditRow)
_paying, _payments, _asked = table(PayingRow), table(PaymentRow), table(AskedRow)

_TO_PAY = (_rows.c.period == PERIOD) & (_rows.c.total_with_tax > 0)
_UNSETTLED = _rows.c.paid_on.is_(None) & _rows.c.collected_at.is_(None)
_IN_RANGE = (_rows.c.contract_id > AFTER) & (_rows.c.contract_id <= UNTIL)
_OPEN = _TO_PAY & _IN_RANGE & _UNSETTLED
_BY_OTHERS = _rows.c.payment_method.in_(COLLECTED_FOR_US)

_UNANSWERED = (
    (_asked.c.period == PERIOD)
    & ((_asked.c.contract_id > AFTER) & (_asked.c.contract_id <= UNTIL))
    & _asked.c.answer.is_(None)
)


def _first(*which: ColumnElement[bool]) -> Any:
    """The first contracts of a range whose statement is open, or of whose card the gateway has not said what it did.

    Who has paid otherwise meanwhile may have been charged, too. The two are read apart, each by its key: PostgreSQL, which
    has not counted the rows of the new month yet, would go through the one for each of the other.
    """
    parts = ((_rows, (_OPEN, *which)), (_asked, (_UNANSWERED,)))
    names = [
        select(of.c.contract_id).where(*mine).order_by(of.c.contract_id).limit(AT_MOST).subquery()
        for of, mine in parts
    ]
    both = union(*(select(part.c.contract_id) for part in names)).subquery()
    return select(both.c.contract_id).order_by(both.c.contract_id).limit(AT_MOST)


_COUNT = select(func.count()).where(_TO_PAY)
_ASKED_FOR = exists().where(_asked.c.contract_id == _rows.c.contract_id, _UNANSWERED)
_SETTLED = select(func.count()).where(_TO_PAY, _IN_RANGE, ~_UNSETTLED, ~_ASKED_FOR)
_LEFT, _NEXT = _first(), _first(~_BY_OTHERS)
_UNPAID_BY = select(_rows.c.contract_id).where(_TO_PAY & _UNSETTLED, _rows.c.contract_id == CONTRACT)

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

    No reference: it is not paid by card, or by one that the gateway never took, or that it has declined for it.
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
    """Settle what is paid by transfer, atone, NP or the provider. Repeating it does nothing.

    How many have nothing to settle any more: `owed` is about all the others.
    """
    given = _given(period, after, until, policy)
    connection.execute(_HOLD, given)
    insert_found(connection, CreditRow, _CREDIT, _CREDITED, given)
    connection.execute(_SETTLE, given)
    return int(connection.execute(_SETTLED, given).scalar_one())


def _given(period: str, after: str, until: str, policy: Policy) -> dict[str, Any]:
    at = due_at(period, policy)
    given = {"the_period": period, "the_settlement": f"s-{period}-", "the_at": at, "the_day": day_of(at)}
    return given | {"the_after": after, "the_until": until}


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts whose statement is neither paid nor collected, or of whose card the gateway has not said what it did."""
    everybody = Range()
    given = _given(period, everybody.after, everybody.until, policy) | {"the_most": limit}
    return list(connection.execute(_LEFT, given).scalars())


def is_unpaid(connection: Connection, period: str, contract_id: str) -> bool:
    """Whether the contract's statement is neither paid nor collected."""
    given = {"the_period": period, "the_contract": contract_id}
    return connection.execute(_UNPAID_BY, given).first() is not None


def owed(
    connection: Connection, period: str, after: str, until: str, policy: Policy, limit: int
) -> list[Owed]:
    """The next statements of a range that are still open. A card is the latest given by the day of settlement.

    What it is to be charged is put down here, and is the same ever after.
    """
    given = _given(period, after, until, policy) | {"the_most": limit}
    names = list(connection.execute(_NEXT, given).scalars())
    found = [Owed(*row) for row in connection.execute(_owed(), given | {"the_names": names})]
    _put_down(connection, period, [one for one in found if one.reference is not None])
    asked = _asked_for(connection, period, names)
    return [asked.get(one.contract_id, one) for one in found]


@cache
def _owed() -> Any:
    by_card = (_paying.c.contract_id == _rows.c.contract_id) & (_paying.c.method == BY_CARD)
    latest = select(_paying.c.payment_id).where(by_card, _paying.c.from_at <= AT)
    latest = latest.order_by(_paying.c.from_at.desc()).limit(1)
    # What was still to be paid when the settlement was due, however late it is.
    left_then = _rows.c.total_with_tax - bills.paid_so_far(_credits.c.at < AT)
    payment_id = func.coalesce(latest.correlate(_rows).scalar_subquery(), _rows.c.payment_id)
    card = (_payments.c.payment_id == payment_id) & (_rows.c.payment_method == BY_CARD)
    return (
        select(_rows.c.contract_id, left_then, _payments.c.reference)
        .select_from(_rows)
        .outerjoin(_payments, card)
        .where(_TO_PAY, _rows.c.contract_id.in_(bindparam("the_names", expanding=True)))
        .order_by(_rows.c.contract_id)
    )


def _put_down(connection: Connection, period: str, cards: list[Owed]) -> None:
    if cards:
        upsert(connection, AskedRow, [{"period": period, "answer": None, **one._asdict()} for one in cards])


def _asked_for(connection: Connection, period: str, names: list[str]) -> dict[str, Owed]:
    """By contract, as it was put down first."""
    found = connection.execute(select(_asked).where(_these(period, names)))
    return {
        row.contract_id: Owed(row.contract_id, row.amount, None if row.answer else row.reference)
        for row in found
    }


def _these(period: str, names: list[str]) -> Any:
    return (_asked.c.period == period) & _asked.c.contract_id.in_(names)


def declined(connection: Connection, period: str, names: list[str]) -> None:
    """The gateway took no money of these, and will not."""
    _answer(connection, period, names, "declined")


def _answer(connection: Connection, period: str, names: list[str], answer: str) -> None:
    if names:
        connection.execute(update(_asked).where(_these(period, names)).values(answer=answer))


def charged(
    connection: Connection, period: str, done: list[Owed], policy: Policy, recorded_at: datetime
) -> None:
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
        bills.receive(connection, credits, recorded_at)
        names = [one.contract_id for one in done]
        mine = (_rows.c.period == period) & _rows.c.contract_id.in_(names) & _rows.c.paid_on.is_(None)
        connection.execute(update(_rows).where(mine).values(paid_on=day_of(at)))
        _answer(connection, period, names, "taken")

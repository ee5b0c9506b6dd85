"""Month end: one statement a contract, made of the facts of its month by a handful of set-based statements (BIL-8).

What is judged is judged as of the month's end: fees and payment by their dates, purchases by their instants. A
contract gets its statement in one transaction with its lines, once; afterwards nothing of it changes but payment.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select, update

from rules import jobs, statement
from rules.figures import Policy
from rules.policy import digest
from rules.runs import delivery_prefix
from store import points_off, statement_lines
from store.ledger import PayingRow, StatementLineRow, StatementRow
from store.runs import NOTICE
from store.sql import (
    AT,
    AT_MOST,
    PERIOD,
    Whom,
    Whose,
    alone,
    everybody,
    floored,
    many_at_once,
    parameter,
    within,
)
from store.statement_lines import ENDS_AT, LAST, in_force, of_month
from store.tables import ChargeRow, ContractRow, DeliveryRow, PartyRow
from store.write import insert_found, insert_found_of, table

JOB = "month-end"
_rows, _lines, _paying = table(StatementRow), table(StatementLineRow), table(PayingRow)
_contracts, _charges, _parties = table(ContractRow), table(ChargeRow), table(PartyRow)


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """Contracts in force on a day of the month, or with charges to bill."""
    return int(connection.execute(_count(), of_month(period)).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Statements for contracts after `after` up to `until`; how many have one. Repeated it changes nothing."""
    alone(connection, f"{JOB} {period} {after}")
    return close(connection, period, within(after, until), policy)


class _Overtaken(Exception):
    """Of these contracts others have written meanwhile: what was seen first does not fit what was seen later."""


def close(connection: Connection, period: str, whom: Whom, policy: Policy) -> int:
    """The same for `whom`, also beside a chunk that they belong to: who is overtaken begins anew."""
    while True:
        with suppress(_Overtaken), connection.begin_nested():
            return _close(connection, period, whom, policy)


def _close(connection: Connection, period: str, whom: Whom, policy: Policy) -> int:
    whose, given = whom.whose, _given(period, policy) | whom.given
    with many_at_once(connection):
        wanted, there, names = connection.execute(_progress(whose), given).one()
        missing, fresh = set((names or "").split()), there == 0
        if missing:
            statement_lines.write(connection, whose, given, fresh)
            # By name: as many as were missing may be others, brought in too late to have their lines.
            made = insert_found_of(connection, StatementRow, _STATEMENT, _statements(whose), given, fresh)
            if made != missing:
                raise _Overtaken
    if missing:
        points_off.take_off(connection, period, whom, policy)
        connection.execute(_nothing_to_pay(whose), given)
        insert_found(connection, DeliveryRow, NOTICE, _notices(whose), given, fresh)
    return int(wanted)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts without their statement, and such whose statement is not the sum of its lines."""
    given = of_month(period)
    found = connection.execute(_missing(), given | {"the_most": limit}).scalars().all()
    if len(found) < limit:
        wrong = connection.execute(_wrong(), given | {"the_most": limit - len(found)})
        found = [*found, *wrong.scalars()]
    return sorted(found)


def _given(period: str, policy: Policy) -> dict[str, Any]:
    return of_month(period) | {
        "the_at": jobs.due_at(policy.job(JOB), period),
        "the_number": statement.number_of_month(period),
        "the_percent": policy.statement.tax_percent,
        "the_due_day": statement.due_on(period, policy),
        "the_policy": digest(policy),
        "the_settled_day": statement.settled_by_itself_on(period),
        "the_run": delivery_prefix(JOB, period),
        "the_post": {"period": period, "channel": "post"},
        "the_mail": {"period": period, "channel": "mail"},
    }


@cache
def _count() -> Any:
    return select(func.count()).select_from(_contracts).where(_concerned())


@cache
def _missing() -> Any:
    missing = select(_contracts.c.contract_id).where(_concerned(), ~_has_statement(everybody))
    return missing.order_by(_contracts.c.contract_id).limit(AT_MOST)


def _concerned() -> ColumnElement[bool]:
    to_bill = exists().where(
        _charges.c.contract_id == _contracts.c.contract_id,
        _charges.c.on_day <= LAST,
        or_(_charges.c.billed_in.is_(None), _charges.c.billed_in == PERIOD),
    )
    return or_(in_force(), to_bill)


def _has_statement(whose: Whose) -> ColumnElement[bool]:
    mine = and_(_rows.c.contract_id == _contracts.c.contract_id, whose(_rows))
    return exists().where(mine, _rows.c.period == PERIOD).correlate(_contracts)


@cache
def _progress(whose: Whose) -> Any:
    """How many contracts of the range the month concerns, how many of those have their statement, and which have none:
    in one word, as so many rows would take longer than looking for them."""
    mine = and_(_rows.c.contract_id == _contracts.c.contract_id, _rows.c.period == PERIOD, whose(_rows))
    missing = case((_rows.c.contract_id.is_(None), _contracts.c.contract_id))
    return (
        select(func.count(), func.count(_rows.c.contract_id), func.aggregate_strings(missing, " "))
        .select_from(_contracts.outerjoin(_rows, mine))
        .where(whose(_contracts), _concerned())
    )


_CLASSES = {"standard": "standard", "included": "included", "untaxed": "none"}
_SUMS = {
    name: func.coalesce(func.sum(case((_lines.c.tax_class == tax_class, _lines.c.amount), else_=0)), 0)
    for name, tax_class in _CLASSES.items()
}
"""Of a contract's lines, by class of tax."""


def _sums(whose: Whose) -> Any:
    return (
        select(_lines.c.contract_id, *(of.label(name) for name, of in _SUMS.items()))
        .where(_lines.c.period == PERIOD, whose(_lines))
        .group_by(_lines.c.contract_id)
        .subquery()
    )


_STATEMENT = (
    *("contract_id", "period", "billing_number", "invoice", "payment_method", "payment_id"),
    *("standard", "included", "untaxed", "tax", "tax_percent", "points_used", "total_with_tax", "due_on"),
    "policy",
)


@cache
def _statements(whose: Whose) -> Any:
    """A statement for each contract of the range that has none, as its lines and its way of payment make it."""
    sums, paid_by = _sums(whose), _paid_by(whose)
    standard, included, untaxed = (
        func.coalesce(sums.c[name], 0) for name in ("standard", "included", "untaxed")
    )
    percent = parameter("the_percent", int)
    tax = floored(standard * percent, 100)
    method = func.coalesce(paid_by.c.method, _contracts.c.payment_method)
    separate = and_(method == "isp_collection", included != 0)
    return (
        select(
            _contracts.c.contract_id,
            PERIOD,
            _contracts.c.billing_number + parameter("the_number", str),
            case((separate, "separate"), else_="line"),
            method,
            func.coalesce(paid_by.c.payment_id, _contracts.c.payment_id),
            *(standard, included, untaxed, tax, percent, literal(0)),
            standard + tax + included + untaxed,
            parameter("the_due_day", date),
            parameter("the_policy", str),
        )
        .select_from(
            _contracts.outerjoin(sums, sums.c.contract_id == _contracts.c.contract_id).outerjoin(
                paid_by, paid_by.c.contract_id == _contracts.c.contract_id
            )
        )
        .where(whose(_contracts), _concerned(), ~_has_statement(whose))
    )


def _paid_by(whose: Whose) -> Any:
    """How contracts were paid as the month ended: by the latest that was said before."""
    before = and_(_paying.c.from_at < ENDS_AT, whose(_paying))
    latest = select(_paying.c.contract_id, func.max(_paying.c.from_at).label("from_at")).where(before)
    last = latest.group_by(_paying.c.contract_id).subquery()
    same = and_(last.c.contract_id == _paying.c.contract_id, last.c.from_at == _paying.c.from_at)
    found = select(_paying.c.contract_id, _paying.c.method, _paying.c.payment_id).join(last, same)
    return found.where(whose(_paying)).subquery()


@cache
def _nothing_to_pay(whose: Whose) -> Any:
    """Nothing is due where nothing is left to pay."""
    mine = and_(_rows.c.period == PERIOD, whose(_rows), _rows.c.paid_on.is_(None))
    settled_on = parameter("the_settled_day", date)
    return update(_rows).where(mine, _rows.c.total_with_tax <= 0).values(paid_on=settled_on)


@cache
def _notices(whose: Whose) -> Any:
    """By mail to whoever wants bills by mail; who pays by invoice gets it by post, as it is what they pay by."""
    by_post = _rows.c.payment_method == "invoice"
    channel = case((by_post, parameter("the_post", dict)), else_=parameter("the_mail", dict))
    name = parameter("the_run", str) + _rows.c.contract_id + "-statement"
    return (
        select(name, _rows.c.contract_id, literal("statement"), AT, literal(0), channel)
        .join(_contracts, _contracts.c.contract_id == _rows.c.contract_id)
        .join(_parties, _parties.c.party_id == _contracts.c.party_id)
        .where(
            and_(_rows.c.period == PERIOD, whose(_rows), whose(_contracts)),
            or_(by_post, _parties.c.bill_mail),
        )
    )


@cache
def _wrong() -> Any:
    """Contracts whose statement is not the sum of its lines, or does not add up.

    Both are read in the order of their keys, and summed up as they come: nothing is put together and kept first.
    """
    mine = and_(_lines.c.period == PERIOD, _lines.c.contract_id == _rows.c.contract_id)
    differs = [of != _rows.c[name] for name, of in _SUMS.items()]
    parts = _rows.c.standard + _rows.c.tax + _rows.c.included + _rows.c.untaxed - _rows.c.points_used
    return (
        select(_rows.c.contract_id)
        .outerjoin(_lines, mine)
        .where(_rows.c.period == PERIOD)
        .group_by(_rows.c.period, _rows.c.contract_id)
        .having(or_(*differs, parts != _rows.c.total_with_tax))
        .order_by(_rows.c.contract_id)
        .limit(AT_MOST)
    )

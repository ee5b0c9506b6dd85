"""Month end: one statement a contract, made of the facts of its month by a handful of set-based statements (BIL-8).

What is judged is judged as of the month's end: fees and payment by their dates, purchases by their instants. A
contract gets its statement in one transaction with its lines, once; afterwards nothing of it changes but payment.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select, update

from rules import jobs, statement
from rules.figures import Policy
from rules.policy import digest
from store import points_off, statement_lines
from store.ledger import PayingRow, StatementLineRow, StatementRow
from store.sql import alone, floored, many_at_once, within
from store.statement_lines import Month
from store.tables import ChargeRow, ContractRow, DeliveryRow, PartyRow
from store.write import insert_found, table

JOB = "month-end"
_rows, _lines, _paying = table(StatementRow), table(StatementLineRow), table(PayingRow)
_contracts, _charges, _parties = table(ContractRow), table(ChargeRow), table(PartyRow)


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """Contracts in force on a day of the month, or with charges to bill."""
    found = select(func.count()).select_from(_contracts).where(_concerned(Month(period)))
    return int(connection.execute(found).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Statements for contracts after `after` up to `until`; how many have one. Repeated it changes nothing."""
    alone(connection, f"{JOB} {period} {after}")
    return close(connection, Month(period, within(after, until)), policy)


def close(connection: Connection, month: Month, policy: Policy) -> int:
    """The same for the contracts of `month`, also beside a chunk that they belong to."""
    with many_at_once(connection):
        wanted, there = connection.execute(_progress(month)).one()
        if wanted > there:
            fresh = there == 0
            statement_lines.write(connection, month, fresh)
            insert_found(connection, StatementRow, _STATEMENT, _statements(month, policy), fresh)
    if wanted > there:
        points_off.take_off(connection, month.period, month.whose, policy)
        connection.execute(_nothing_to_pay(month))
        insert_found(connection, DeliveryRow, _NOTICE, _notices(month, policy), there == 0)
    return int(wanted)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts without their statement, and such whose statement is not the sum of its lines."""
    month = Month(period)
    missing = select(_contracts.c.contract_id).where(_concerned(month), ~_has_statement(month))
    found = connection.execute(missing.order_by(_contracts.c.contract_id).limit(limit)).scalars().all()
    if len(found) < limit:
        wrong = _wrong(month).limit(limit - len(found))
        found = [*found, *connection.execute(wrong).scalars()]
    return sorted(found)


def _concerned(month: Month) -> ColumnElement[bool]:
    to_bill = exists().where(
        _charges.c.contract_id == _contracts.c.contract_id,
        _charges.c.on_day <= month.last,
        or_(_charges.c.billed_in.is_(None), _charges.c.billed_in == month.period),
    )
    return or_(month.in_force(), to_bill)


def _has_statement(month: Month) -> ColumnElement[bool]:
    mine = and_(_rows.c.contract_id == _contracts.c.contract_id, month.within(_rows))
    return exists().where(mine, _rows.c.period == month.period).correlate(_contracts)


def _progress(month: Month) -> Any:
    """How many contracts of the range the month concerns, and how many of those have their statement."""
    mine = and_(
        _rows.c.contract_id == _contracts.c.contract_id, _rows.c.period == month.period, month.within(_rows)
    )
    return (
        select(func.count(), func.count(_rows.c.contract_id))
        .select_from(_contracts.outerjoin(_rows, mine))
        .where(month.within(_contracts), _concerned(month))
    )


def _sums(month: Month) -> Any:
    """The sums of a contract's lines, by class of tax."""

    def of(tax_class: str) -> ColumnElement[int]:
        return func.sum(case((_lines.c.tax_class == tax_class, _lines.c.amount), else_=0))

    return (
        select(
            _lines.c.contract_id,
            of("standard").label("standard"),
            of("included").label("included"),
            of("none").label("untaxed"),
        )
        .where(_lines.c.period == month.period, month.within(_lines))
        .group_by(_lines.c.contract_id)
        .subquery()
    )


_STATEMENT = [
    *("contract_id", "period", "billing_number", "invoice", "payment_method", "payment_id"),
    *("standard", "included", "untaxed", "tax", "tax_percent", "points_used", "total_with_tax", "due_on"),
    "policy",
]


def _statements(month: Month, policy: Policy) -> Any:
    """A statement for each contract of the range that has none, as its lines and its way of payment make it."""
    sums, paid_by = _sums(month), _paid_by(month)
    standard, included, untaxed = (
        func.coalesce(sums.c[name], 0) for name in ("standard", "included", "untaxed")
    )
    tax = floored(standard * policy.statement.tax_percent, 100)
    method = func.coalesce(paid_by.c.method, _contracts.c.payment_method)
    separate = and_(method == "isp_collection", included != 0)
    return (
        select(
            _contracts.c.contract_id,
            literal(month.period),
            _contracts.c.billing_number + statement.number_of_month(month.period),
            case((separate, "separate"), else_="line"),
            method,
            func.coalesce(paid_by.c.payment_id, _contracts.c.payment_id),
            *(standard, included, untaxed, tax, literal(policy.statement.tax_percent), literal(0)),
            standard + tax + included + untaxed,
            literal(statement.due_on(month.period, policy)),
            literal(digest(policy)),
        )
        .select_from(
            _contracts.outerjoin(sums, sums.c.contract_id == _contracts.c.contract_id).outerjoin(
                paid_by, paid_by.c.contract_id == _contracts.c.contract_id
            )
        )
        .where(month.within(_contracts), _concerned(month), ~_has_statement(month))
    )


def _paid_by(month: Month) -> Any:
    """How contracts were paid as the month ended: by the latest that was said before."""
    before = and_(_paying.c.from_at < month.ends_at, month.within(_paying))
    latest = select(_paying.c.contract_id, func.max(_paying.c.from_at).label("from_at")).where(before)
    last = latest.group_by(_paying.c.contract_id).subquery()
    same = and_(last.c.contract_id == _paying.c.contract_id, last.c.from_at == _paying.c.from_at)
    found = select(_paying.c.contract_id, _paying.c.method, _paying.c.payment_id).join(last, same)
    return found.where(month.within(_paying)).subquery()


def _nothing_to_pay(month: Month) -> Any:
    """Nothing is due where nothing is left to pay."""
    mine = and_(_rows.c.period == month.period, month.within(_rows), _rows.c.paid_on.is_(None))
    paid_on = statement.settled_by_itself_on(month.period)
    return update(_rows).where(mine, _rows.c.total_with_tax <= 0).values(paid_on=paid_on)


_NOTICE = ["delivery_id", "contract_id", "kind", "at", "tries", "data"]


def _notices(month: Month, policy: Policy) -> Any:
    """By mail to whoever wants bills by mail; who pays by invoice gets it by post, as it is what they pay by."""
    json = table(DeliveryRow).c.data.type
    by_post = _rows.c.payment_method == "invoice"
    channel = case(
        (by_post, literal({"period": month.period, "channel": "post"}, json)),
        else_=literal({"period": month.period, "channel": "mail"}, json),
    )
    name = literal(f"r-{JOB}-{month.period}-") + _rows.c.contract_id + "-statement"
    at = literal(jobs.due_at(policy.job(JOB), month.period), table(DeliveryRow).c.at.type)
    return (
        select(name, _rows.c.contract_id, literal("statement"), at, literal(0), channel)
        .join(_contracts, _contracts.c.contract_id == _rows.c.contract_id)
        .join(_parties, _parties.c.party_id == _contracts.c.party_id)
        .where(
            and_(_rows.c.period == month.period, month.within(_rows), month.within(_contracts)),
            or_(by_post, _parties.c.bill_mail),
        )
    )


def _wrong(month: Month) -> Any:
    """Contracts whose statement is not the sum of its lines, or does not add up."""
    sums = _sums(month)
    differs = [
        func.coalesce(sums.c[name], 0) != _rows.c[name] for name in ("standard", "included", "untaxed")
    ]
    parts = _rows.c.standard + _rows.c.tax + _rows.c.included + _rows.c.untaxed - _rows.c.points_used
    return (
        select(_rows.c.contract_id)
        .outerjoin(sums, sums.c.contract_id == _rows.c.contract_id)
        .where(_rows.c.period == month.period, or_(*differs, parts != _rows.c.total_with_tax))
        .order_by(_rows.c.contract_id)
    )

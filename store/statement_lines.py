"""The lines of the statements of a month, each for one fact: a monthly fee, a charge, a purchase (BIL-8, MAT-6, LIN-6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    literal,
    null,
    or_,
    select,
    update,
)

from rules import jobs, statement
from rules.calendar import first_of_month, midnight
from store.ledger import FeeRow, StatementLineRow, StatementRow
from store.sql import PERIOD, Whose, later, midnight_of, parameter
from store.tables import ChargeRow, ContractRow, PurchaseRow
from store.write import insert_found, table

_rows, _contracts, _fees = table(StatementRow), table(ContractRow), table(FeeRow)
_lines = table(StatementLineRow)
_charges, _purchases = table(ChargeRow), table(PurchaseRow)
_LINE = ("period", "contract_id", "source", "kind", "item", "provider", "amount", "tax_class", "at")

_SOURCE = literal("purchase-") + _purchases.c.purchase_id
FIRST, LAST = parameter("the_first_day", date), parameter("the_last_day", date)
BEGINS_AT, ENDS_AT = parameter("the_beginning", datetime), parameter("the_end", datetime)
_BEFORE, _DAY_BEFORE = parameter("the_month_before", str), parameter("the_day_before", datetime)


def of_month(period: str) -> dict[str, Any]:
    """What SQL about a month is given of it."""
    first, following = jobs.first_day(period), jobs.following(period)
    before = first_of_month(first, -1)
    return {
        "the_month_before": jobs.month(before),
        "the_day_before": midnight(first - timedelta(days=1)),
        "the_period": period,
        "the_first_day": first,
        "the_last_day": following - timedelta(days=1),
        "the_beginning": midnight(first),
        "the_end": midnight(following),
    }


def in_force() -> ColumnElement[bool]:
    """Contracts in force on at least one day of the month (LIN-6), and this service's to bill in it."""
    counted = or_(_contracts.c.counted_from.is_(None), _contracts.c.counted_from <= LAST)
    return and_(_contracts.c.in_force_from <= LAST, counted, _not_over_before(FIRST))


def _not_over_before(day: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(_contracts.c.in_force_to.is_(None), _contracts.c.in_force_to >= day)


def write(connection: Connection, whose: Whose, given: dict[str, Any], fresh: bool) -> None:
    """Lines for contracts of the range that have no statement of the month; each fact stands on one statement only.

    `fresh`: as for `insert_found`.
    """
    # Marked first: what is recorded from now on has no mark, and comes on the next statement.
    connection.execute(_mark(whose), given)
    for lines in (_of_charges(whose), _of_fees(whose), _bought(whose), _settled(whose)):
        insert_found(connection, StatementLineRow, _LINE, lines, given, fresh)


def _closed(whose: Whose, rows: FromClause) -> ColumnElement[bool]:
    """The statement is there, and changes no more."""
    mine = and_(_rows.c.contract_id == rows.c.contract_id, whose(_rows))
    return exists().where(mine, _rows.c.period == PERIOD).correlate(rows)


@cache
def _mark(whose: Whose) -> Any:
    due = and_(_charges.c.billed_in.is_(None), _charges.c.on_day <= LAST)
    open_ones = and_(whose(_charges), due, ~_closed(whose, _charges))
    return update(_charges).where(open_ones).values(billed_in=PERIOD)


@cache
def _of_charges(whose: Whose) -> Any:
    untaxed = _charges.c.kind.in_(statement.UNTAXED)
    return select(
        PERIOD,
        _charges.c.contract_id,
        literal("charge-") + _charges.c.charge_id,
        _charges.c.kind,
        _charges.c.item,
        null(),
        _charges.c.amount,
        case((untaxed, "none"), else_="standard"),
        midnight_of(_charges.c.on_day),
    ).where(_charges.c.billed_in == PERIOD, whose(_charges), ~_closed(whose, _charges))


@cache
def _of_fees(whose: Whose) -> Any:
    """Whole months: the first and the last are charged as any other (LIN-6)."""
    held = and_(_fees.c.first_day <= LAST, or_(_fees.c.last_day.is_(None), _fees.c.last_day >= FIRST))
    return (
        select(
            PERIOD,
            _fees.c.contract_id,
            literal("fee-") + _fees.c.part,
            literal("monthly_fee"),
            _fees.c.item,
            null(),
            _fees.c.amount,
            literal("standard"),
            midnight_of(later(_fees.c.first_day, FIRST)),
        )
        .join(_contracts, _contracts.c.contract_id == _fees.c.contract_id)
        .where(whose(_fees), whose(_contracts), held, in_force(), ~_closed(whose, _fees))
    )


@cache
def _bought(whose: Whose) -> Any:
    """What was bought in the month, or the day before it and written down too late for that month."""
    at = _purchases.c.at
    in_it = at >= BEGINS_AT
    source = case((in_it, _SOURCE), else_=literal("late-") + _SOURCE)
    return _purchase(whose, at, source).where(at >= _DAY_BEFORE, at < ENDS_AT, or_(in_it, _late(whose)))


def _late(whose: Whose) -> ColumnElement[bool]:
    """The month before was closed for the contract without the purchase: it stands on the next one (BIL-8).

    Asked of its last day, as nothing takes longer to be written down: of all of it would take a run a fifth longer.
    """
    mine = and_(_rows.c.contract_id == _purchases.c.contract_id, whose(_rows), _rows.c.period == _BEFORE)
    same = and_(_lines.c.contract_id == _purchases.c.contract_id, whose(_lines), _lines.c.source == _SOURCE)
    closed = exists().where(mine).correlate(_purchases)
    return and_(closed, ~exists().where(same, _lines.c.period == _BEFORE).correlate(_purchases))


@cache
def _settled(whose: Whose) -> Any:
    """Monthly items bought before are settled on the 1st, unless they or the line had ended (MAT-8, MAT-9)."""
    before = and_(_purchases.c.at < BEGINS_AT, _purchases.c.kind == "monthly")
    living = or_(_purchases.c.ended_at.is_(None), _purchases.c.ended_at >= BEGINS_AT)
    on_the_1st = and_(_contracts.c.in_force_from <= FIRST, _not_over_before(FIRST))
    return (
        _purchase(whose, BEGINS_AT)
        .join(_contracts, _contracts.c.contract_id == _purchases.c.contract_id)
        .where(whose(_contracts), before, living, on_the_1st)
    )


def _purchase(whose: Whose, at: ColumnElement[datetime], source: ColumnElement[str] = _SOURCE) -> Select[Any]:
    """The line of a purchase that counts at that instant."""
    return select(
        PERIOD,
        _purchases.c.contract_id,
        source,
        literal("purchase"),
        _purchases.c.item,
        _purchases.c.provider,
        _purchases.c.amount,
        literal("included"),
        at,
    ).where(whose(_purchases), ~_closed(whose, _purchases))

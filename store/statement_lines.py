"""The lines of the statements of a month, each for one fact: a monthly fee, a charge, a purchase (BIL-8, MAT-6, LIN-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
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
from rules.calendar import midnight
from store.ledger import FeeRow, StatementLineRow, StatementRow
from store.sql import Whose, everybody, later, midnight_of
from store.tables import ChargeRow, ContractRow, PurchaseRow
from store.write import insert_found, table

_rows, _contracts, _fees = table(StatementRow), table(ContractRow), table(FeeRow)
_charges, _purchases = table(ChargeRow), table(PurchaseRow)
_LINE = ["period", "contract_id", "source", "kind", "item", "provider", "amount", "tax_class", "at"]


@dataclass(frozen=True)
class Month:
    """A month, and the contracts that are looked at; all of them where that is not said."""

    period: str
    whose: Whose = everybody

    @cached_property
    def first(self) -> date:
        return jobs.first_day(self.period)

    @cached_property
    def last(self) -> date:
        return jobs.following(self.period) - timedelta(days=1)

    @cached_property
    def begins_at(self) -> datetime:
        return midnight(self.first)

    @cached_property
    def ends_at(self) -> datetime:
        return midnight(jobs.following(self.period))

    def within(self, rows: FromClause) -> ColumnElement[bool]:
        """Those contracts, of whatever has contracts."""
        return self.whose(rows)

    def in_force(self) -> ColumnElement[bool]:
        """Contracts in force on at least one day of the month (LIN-6), and this service's to bill in it."""
        counted = or_(_contracts.c.counted_from.is_(None), _contracts.c.counted_from <= self.last)
        return and_(_contracts.c.in_force_from <= self.last, counted, _not_over_before(self.first))


def _not_over_before(day: date) -> ColumnElement[bool]:
    return or_(_contracts.c.in_force_to.is_(None), _contracts.c.in_force_to >= day)


def write(connection: Connection, month: Month, fresh: bool) -> None:
    """Lines for contracts of the range that have no statement of the month; each fact stands on one statement only.

    `fresh`: as for `insert_found`.
    """
    # Marked first: what is recorded from now on has no mark, and comes on the next statement.
    connection.execute(_mark(month))
    for lines in (_of_charges(month), _of_fees(month), _bought(month), _settled(month)):
        insert_found(connection, StatementLineRow, _LINE, lines, fresh)


def _closed(month: Month, rows: FromClause) -> ColumnElement[bool]:
    """The statement is there, and changes no more."""
    mine = and_(_rows.c.contract_id == rows.c.contract_id, month.within(_rows))
    return exists().where(mine, _rows.c.period == month.period).correlate(rows)


def _mark(month: Month) -> Any:
    due = and_(_charges.c.billed_in.is_(None), _charges.c.on_day <= month.last)
    open_ones = and_(month.within(_charges), due, ~_closed(month, _charges))
    return update(_charges).where(open_ones).values(billed_in=month.period)


def _of_charges(month: Month) -> Any:
    untaxed = _charges.c.kind.in_(statement.UNTAXED)
    return select(
        literal(month.period),
        _charges.c.contract_id,
        literal("charge-") + _charges.c.charge_id,
        _charges.c.kind,
        _charges.c.item,
        null(),
        _charges.c.amount,
        case((untaxed, "none"), else_="standard"),
        midnight_of(_charges.c.on_day),
    ).where(_charges.c.billed_in == month.period, month.within(_charges), ~_closed(month, _charges))


def _of_fees(month: Month) -> Any:
    """Whole months: the first and the last are charged as any other (LIN-6)."""
    held = and_(
        _fees.c.first_day <= month.last, or_(_fees.c.last_day.is_(None), _fees.c.last_day >= month.first)
    )
    return (
        select(
            literal(month.period),
            _fees.c.contract_id,
            literal("fee-") + _fees.c.part,
            literal("monthly_fee"),
            _fees.c.item,
            null(),
            _fees.c.amount,
            literal("standard"),
            midnight_of(later(_fees.c.first_day, month.first)),
        )
        .join(_contracts, _contracts.c.contract_id == _fees.c.contract_id)
        .where(month.within(_fees), month.within(_contracts), held, month.in_force(), ~_closed(month, _fees))
    )


def _bought(month: Month) -> Any:
    """What was bought in the month."""
    at = _purchases.c.at
    return _purchase(month, at).where(at >= month.begins_at, at < month.ends_at)


def _settled(month: Month) -> Any:
    """Monthly items bought before are settled on the 1st, unless they or the line had ended (MAT-8, MAT-9)."""
    begins_at = literal(month.begins_at, _purchases.c.at.type)
    before = and_(_purchases.c.at < begins_at, _purchases.c.kind == "monthly")
    living = or_(_purchases.c.ended_at.is_(None), _purchases.c.ended_at >= begins_at)
    on_the_1st = and_(_contracts.c.in_force_from <= month.first, _not_over_before(month.first))
    return (
        _purchase(month, begins_at)
        .join(_contracts, _contracts.c.contract_id == _purchases.c.contract_id)
        .where(month.within(_contracts), before, living, on_the_1st)
    )


def _purchase(month: Month, at: ColumnElement[datetime]) -> Select[Any]:
    """The line of a purchase that counts at that instant."""
    return select(
        literal(month.period),
        _purchases.c.contract_id,
        literal("purchase-") + _purchases.c.purchase_id,
        literal("purchase"),
        _purchases.c.item,
        _purchases.c.provider,
        _purchases.c.amount,
        literal("included"),
        at,
    ).where(month.within(_purchases), ~_closed(month, _purchases))

"""Points exchanged for bill payment come off a bill; what it does not need returns to the lots (PNT-6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from rules import jobs, points
from rules.calendar import day_of, end_of, fiscal_year
from rules.figures import Policy
from store import points_lapse, runs
from store.ledger import ExchangeRow, MemberRow, PointRow, StatementRow
from store.points_grant import ledger_row
from store.points_hold import hold_ends_back
from store.sql import PERIOD, Whom, Whose, parameter
from store.tables import ContractRow
from store.write import insert, table

_rows, _exchanges, _members = table(PointRow), table(ExchangeRow), table(MemberRow)
_statements, _contracts = table(StatementRow), table(ContractRow)


def take_off(connection: Connection, period: str, whom: Whom, policy: Policy) -> dict[str, int]:
    """Take bill payments off statements of `period` that are written already.

    Sets `points_used` and `total_with_tax` of those statements; returns the points used, by contract. On a contract's
    last statement all its bill payments are, as no later one will come. Repeating it does nothing.
    """
    at = jobs.due_at(policy.job("month-end"), period)
    hold_ends_back(connection)
    used: dict[str, int] = {}
    given = {"the_period": period, "the_last_day": jobs.following(period) - timedelta(days=1)} | whom.given
    pending = connection.execute(_pending(whom.whose), given).mappings()
    for contract_id, exchanges in groupby(pending.all(), lambda row: str(row["contract_id"])):
        used[contract_id] = _pay(connection, list(exchanges), at)
        _write_off(connection, contract_id, period, used[contract_id])
    return used


@cache
def _pending(whose: Whose) -> Any:
    """Bill payments that nothing was taken off by yet, oldest first, with the bill that they come off."""
    bill = (_statements.c.contract_id == _exchanges.c.contract_id) & (_statements.c.period == PERIOD)
    last = _contracts.c.in_force_to <= parameter("the_last_day", date)
    return (
        select(_exchanges, _statements.c.total_with_tax, _members.c.left_at)
        .join(_statements, bill)
        .join(_contracts, _contracts.c.contract_id == _exchanges.c.contract_id)
        .outerjoin(_members, _members.c.contract_id == _exchanges.c.contract_id)
        .where(
            whose(_exchanges),
            and_(_exchanges.c.kind == "bill_payment", _exchanges.c.used.is_(None)),
            or_(_exchanges.c.period <= PERIOD, last),
        )
        .order_by(_exchanges.c.contract_id, _exchanges.c.at, _exchanges.c.exchange_id)
        # Month ends of two months may meet, and each is the first to come to it.
        .with_for_update(of=_exchanges)
    )


def _pay(connection: Connection, exchanges: list[RowMapping], at: datetime) -> int:
    """Each takes off what the bill still needs. Returns the sum."""
    total = needed = max(int(exchanges[0]["total_with_tax"]), 0)
    for row in exchanges:
        used = min(row["points"], needed)
        needed -= used
        mine = _exchanges.c.exchange_id == row["exchange_id"]
        connection.execute(update(_exchanges).where(mine).values(used=used))
        if used < row["points"]:
            _give_back(connection, row, row["points"] - used, at)
    return total - needed


def _write_off(connection: Connection, contract_id: str, period: str, used: int) -> None:
    bill = (_statements.c.contract_id == contract_id) & (_statements.c.period == period)
    values = {"points_used": used, "total_with_tax": _statements.c.total_with_tax - used}
    connection.execute(update(_statements).where(bill).values(**values))


def _give_back(connection: Connection, exchange: RowMapping, returned: int, at: datetime) -> None:
    """To the lots they came from; where a lot has lapsed, or the line ended, they are gone again at once."""
    contract_id, ref = exchange["contract_id"], exchange["exchange_id"]
    found = select(_rows.c.granted_on, _rows.c.lapses_on, _rows.c.points)
    # None had lapsed when they were spent.
    lots = _rows.c.lapses_on.in_(points.last_days(day_of(exchange["at"])))
    spends = connection.execute(found.where(lots, _rows.c.what == "spend", *_of(contract_id, ref))).all()
    last_days = {row.granted_on: row.lapses_on for row in spends}
    for granted_on, part in points.give_back([(row.granted_on, -row.points) for row in spends], returned):
        lot = (contract_id, granted_on, last_days[granted_on])
        rows = [ledger_row(*lot, "return", ref, part, at)]
        if gone := _gone(connection, lot, exchange["left_at"], at):
            rows.append(ledger_row(*lot, gone[0], ref, -part, gone[1]))
        insert(connection, PointRow, rows)


def _of(contract_id: str, ref: str) -> tuple[Any, ...]:
    return _rows.c.contract_id == contract_id, _rows.c.ref == ref


def _gone(
    connection: Connection, lot: tuple[str, date, date], left_at: datetime | None, at: datetime
) -> tuple[str, datetime] | None:
    """Why and when a lot is not there any more."""
    contract_id, granted_on, lapses_on = lot
    mine = (_rows.c.granted_on == granted_on) & (_rows.c.what == "lapse")
    lapsed = select(_rows.c.at).where(mine, *_of(contract_id, ""))
    noted = connection.execute(lapsed).scalar_one_or_none()
    if noted or lapses_on < day_of(at):
        return "lapse", max(noted or at, at)
    if left_at:
        return "forfeit", max(left_at, at)
    return ("lapse", end_of(lapses_on)) if _year_is_over(connection, lapses_on) else None


def _year_is_over(connection: Connection, lapses_on: date) -> bool:
    """The run that ends the fiscal year has come, and has found nothing in the lot; it does not come again."""
    return runs.of(connection, points_lapse.JOB, f"FY{fiscal_year(lapses_on)}") is not None

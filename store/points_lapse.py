"""The lapse at the end of a fiscal year (PNT-4): one statement a chunk, which gives the same however often it runs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, distinct, func, literal, select

from rules import jobs
from rules.calendar import midnight
from rules.figures import Policy
from store.ledger import PointRow
from store.points_grant import COLUMNS
from store.points_hold import hold_ends_back
from store.sql import Whose, everybody, within
from store.write import insert_found, table

JOB = "fiscal-year"

_rows = table(PointRow)
_LEFT = func.sum(_rows.c.points)
# What the run itself takes away does not count, nor what came back too late and lapsed in the same instant.
_BEFORE = func.sum(case(((_rows.c.what == "lapse") & (_rows.c.ref == ""), 0), else_=_rows.c.points))


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """How many contracts had points that lapse with the year."""
    lots = _lots(period, everybody).having(_BEFORE > 0).subquery()
    return int(connection.execute(select(func.count(distinct(lots.c.contract_id)))).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Let the lots of the contracts after `after` and up to `until` lapse. Returns how many lots did so now."""
    hold_ends_back(connection)
    return lapse(connection, period, within(after, until), fresh=True)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts that still have points which should have lapsed."""
    lots = _lots(period, everybody).having(_LEFT > 0).subquery()
    found = select(lots.c.contract_id).distinct().order_by(lots.c.contract_id).limit(limit)
    return list(connection.execute(found).scalars())


def lapse(connection: Connection, period: str, whose: Whose, fresh: bool = False) -> int:
    """What is left of the lots whose last day ended the year is gone from 00:00 of the next on. `fresh`: as for
    `insert_found`, for a lot that has lapsed has nothing left."""
    at = midnight(jobs.following(period))
    columns = (literal("lapse"), literal(""), _rows.c.lapses_on, literal(at, _rows.c.at.type))
    taken = _lots(period, whose, -_LEFT, _rows.c.granted_on, *columns)
    return insert_found(connection, PointRow, COLUMNS, taken.having(_LEFT > 0), fresh)


def _lots(period: str, whose: Whose, *columns: ColumnElement[Any]) -> Select[Any]:
    """The lots whose last day is that of the year."""
    return (
        select(_rows.c.contract_id, *columns)
        .where(whose(_rows), _rows.c.lapses_on == last_day(period))
        .group_by(_rows.c.contract_id, _rows.c.granted_on, _rows.c.lapses_on)
    )


def last_day(period: str) -> date:
    """31 March that ends the fiscal year."""
    return jobs.following(period) - timedelta(days=1)

"""The lapse at the end of a fiscal year (PNT-4): set-based, chunk by chunk, the same however often it runs."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, distinct, func, literal, select

from rules import jobs
from rules.calendar import midnight
from rules.figures import Policy
from store.ledger import PointRow
from store.points_grant import COLUMNS
from store.points_hold import hold_ends_back
from store.sql import AT, AT_MOST, Whom, Whose, everybody, many_at_once, parameter, within
from store.write import insert_found, table

JOB = "fiscal-year"

_rows = table(PointRow)
_LEFT = func.sum(_rows.c.points)
_LAST_DAY = parameter("the_last_day", date)


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """How many contracts have lots that end with the year, whatever was left of them."""
    return int(connection.execute(_concerned(everybody), _given(period)).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Let the lots of the contracts after `after` and up to `until` lapse; how many contracts have such lots."""
    hold_ends_back(connection)
    whom = within(after, until)
    with many_at_once(connection):
        # Before they lapse there are half as many rows to count.
        found = connection.execute(_concerned(whom.whose), _given(period) | whom.given).scalar_one()
        lapse(connection, period, whom, fresh=True)
    return int(found)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts that still have points which should have lapsed."""
    return list(connection.execute(_still_there(), _given(period) | {"the_most": limit}).scalars())


def lapse(connection: Connection, period: str, whom: Whom, fresh: bool = False) -> int:
    """What is left of the lots whose last day ended the year is gone from 00:00 of the next on; how many lots.
    `fresh`: as for `insert_found`, for a lot that has lapsed has nothing left."""
    given = _given(period) | whom.given
    return insert_found(connection, PointRow, COLUMNS, _taken(whom.whose), given, fresh)


def _given(period: str) -> dict[str, Any]:
    return {"the_at": midnight(jobs.following(period)), "the_last_day": last_day(period)}


@cache
def _concerned(whose: Whose) -> Select[Any]:
    """Read in the order of the index and from it alone. What was left of a lot when the year ended is in none."""
    return select(func.count(distinct(_rows.c.contract_id))).where(_of_year(whose))


@cache
def _still_there() -> Select[Any]:
    lots = _lots(everybody).having(_LEFT > 0).subquery()
    return select(lots.c.contract_id).distinct().order_by(lots.c.contract_id).limit(AT_MOST)


@cache
def _taken(whose: Whose) -> Select[Any]:
    columns = (literal("lapse"), literal(""), _rows.c.lapses_on, AT)
    return _lots(whose, -_LEFT, _rows.c.granted_on, *columns).having(_LEFT > 0)


def _lots(whose: Whose, *columns: ColumnElement[Any]) -> Select[Any]:
    """The lots whose last day is that of the year."""
    return (
        select(_rows.c.contract_id, *columns)
        .where(_of_year(whose))
        .group_by(_rows.c.contract_id, _rows.c.granted_on, _rows.c.lapses_on)
    )


def _of_year(whose: Whose) -> ColumnElement[bool]:
    return and_(whose(_rows), _rows.c.lapses_on == _LAST_DAY)


def last_day(period: str) -> date:
    """31 March that ends the fiscal year."""
    return jobs.following(period) - timedelta(days=1)

"""The monthly grant (PNT-2, PNT-3): one statement a chunk, which gives the same whenever and however often it runs."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from rules import jobs, points
from rules.calendar import midnight
from rules.figures import Policy
from store.ledger import BlockRow, FeeRow, MemberRow, PointRow
from store.points_hold import hold_ends_back
from store.sql import AT, AT_MOST, Whom, Whose, as_well, everybody, many_at_once, parameter, within
from store.tables import ContractRow
from store.write import insert_found, table

JOB = "points-grant"
COLUMNS = ("contract_id", "points", "granted_on", "what", "ref", "lapses_on", "at")

_rows, _members, _contracts = table(PointRow), table(MemberRow), table(ContractRow)
_fees, _blocks = table(FeeRow), table(BlockRow)
_line_type: ColumnElement[str] = func.coalesce(_fees.c.item, _contracts.c.line_type)
_LINES = _members.join(_contracts, _contracts.c.contract_id == _members.c.contract_id)
_ON, _LAST_DAY = parameter("the_day", date), parameter("the_last_day", date)
_MIDNIGHT = parameter("the_midnight", datetime)


class Figures(NamedTuple):
    """The table of the policy: line types, each with its points by year of membership; whether no line goes without."""

    table: tuple[tuple[str, tuple[int, ...]], ...]
    for_all: bool


def ledger_row(
    contract_id: str, granted_on: date, lapses_on: date, what: str, ref: str, points: int, at: datetime
) -> dict[str, Any]:
    """A row of the ledger: `points` with their sign."""
    return {
        "contract_id": contract_id,
        "granted_on": granted_on,
        "what": what,
        "ref": ref,
        "points": points,
        "lapses_on": lapses_on,
        "at": at,
    }


def expected(connection: Connection, period: str, policy: Policy) -> int:
    """How many lines get points for the month."""
    return int(connection.execute(_concerned(_figures(policy)), _given(period, policy)).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Grant to the contracts after `after` and up to `until`; how many have theirs now."""
    hold_ends_back(connection)
    whom = within(after, until)
    whose, given = whom.whose, _given(period, policy) | whom.given
    with many_at_once(connection):
        if not _any(connection, _first_granted(whose), given):
            return grant(connection, period, whom, policy, fresh=True)
        if _any(connection, _without(whose), given) and _any(
            connection, _missing(whose, _figures(policy)), given
        ):
            grant(connection, period, whom, policy)
        return int(connection.execute(_count_granted(whose), given).scalar_one())


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts that should have got points for the month and have not."""
    given = _given(period, policy) | {"the_most": limit}
    return list(connection.execute(_left(_figures(policy)), given).scalars())


def grant(connection: Connection, period: str, whom: Whom, policy: Policy, fresh: bool = False) -> int:
    """A lot to each member that `whom` is about and that had none for the month. `fresh`: as for `insert_found`."""
    given = _given(period, policy) | whom.given
    return insert_found(connection, PointRow, COLUMNS, _lots(whom.whose, _figures(policy)), given, fresh)


def _given(period: str, policy: Policy) -> dict[str, Any]:
    on = jobs.following(period)
    years = range(1, max(len(grant.points) for grant in policy.point_grants))
    return {
        "the_day": on,
        "the_midnight": midnight(on),
        "the_at": jobs.due_at(policy.job(JOB), period),
        "the_last_day": points.lapses_on(on, policy),
        **{f"joined_from_{year}": points.joined_from(on, year) for year in years},
    }


def _figures(policy: Policy) -> Figures:
    table = tuple((grant.line_type, tuple(grant.points)) for grant in policy.point_grants)
    some = {line_type for line_type, years in table if all(years)}
    return Figures(table, all(line.line_type in some for line in policy.line_types))


def _any(connection: Connection, found: Select[Any] | CompoundSelect[Any], given: dict[str, Any]) -> bool:
    return connection.execute(_one_of(found), given).first() is not None


@cache
def _one_of(found: Select[Any] | CompoundSelect[Any]) -> Select[Any] | CompoundSelect[Any]:
    return found.limit(1)


@cache
def _concerned(figures: Figures) -> Select[Any]:
    return select(func.count()).select_from(_entitled(everybody, figures).subquery())


@cache
def _left(figures: Figures) -> Select[Any]:
    return _missing(everybody, figures).limit(AT_MOST)


@cache
def _missing(whose: Whose, figures: Figures) -> Select[Any]:
    """In the order of the index: so it is asked first who got nothing, and of those only whether they should have."""
    theirs = and_(_rows.c.granted_on == _ON, _rows.c.what == "grant", as_well(whose(_rows)))
    granted = exists().where(theirs, _rows.c.contract_id == _members.c.contract_id)
    return _entitled(whose, figures).where(~granted).order_by(_members.c.contract_id)


@cache
def _without(whose: Whose) -> CompoundSelect[Any]:
    """Members who got nothing: all in all a look at them costs less than finding out who should have got something."""
    found = select(_members.c.contract_id).where(whose(_members), _is_member())
    return found.except_(_granted(whose)).order_by("contract_id")


@cache
def _count_granted(whose: Whose) -> Select[Any]:
    return select(func.count()).select_from(_granted(whose).subquery())


@cache
def _granted(whose: Whose) -> Select[Any]:
    """Who has a lot of the month."""
    mine = and_(_rows.c.granted_on == _ON, whose(_rows), _rows.c.what == "grant")
    return select(_rows.c.contract_id).where(mine)


@cache
def _first_granted(whose: Whose) -> Select[Any]:
    """In the order of the index: for any one PostgreSQL would read the years before, expecting to come upon it soon."""
    return _granted(whose).order_by(_rows.c.contract_id)


@cache
def _lots(whose: Whose, figures: Figures) -> Select[Any]:
    return _due(whose, figures).add_columns(_ON, literal("grant"), literal(""), _LAST_DAY, AT)


def _due(whose: Whose, figures: Figures) -> Select[tuple[str, int]]:
    """Who gets how many, by facts as of the instant of granting: what has changed since then changes nothing.

    The line's type is that of 00:00, as membership is (PNT-2): the one that the month is charged by, however it stands now.
    """
    base = and_(
        as_well(whose(_fees)),
        _fees.c.contract_id == _contracts.c.contract_id,
        _fees.c.part == "base",
        _fees.c.first_day <= _ON,
        or_(_fees.c.last_day.is_(None), _fees.c.last_day >= _ON),
    )
    found = select(_members.c.contract_id, _points(figures).label("points"))
    return _members_in_use(found, _LINES.outerjoin(_fees, base), whose).where(_some(figures))


def _entitled(whose: Whose, figures: Figures) -> Select[Any]:
    """Who gets any. Where no line goes without it does not matter which it was on that day."""
    if not figures.for_all:
        return _due(whose, figures).with_only_columns(_members.c.contract_id)
    found = _members_in_use(select(_members.c.contract_id), _LINES, whose)
    return found.where(_contracts.c.line_type.is_not(None))


def _members_in_use(found: Select[Any], of: FromClause, whose: Whose) -> Select[Any]:
    mine = and_(whose(_members), as_well(whose(_contracts)))
    return found.select_from(of).where(mine, _is_member(), _in_use(whose))


def _points(figures: Figures) -> ColumnElement[int]:
    """The table of the policy, by line type and year of membership; the last figure holds for ever (PNT-2)."""
    table = figures.table
    return case(*((_line_type == line_type, _by_year(years)) for line_type, years in table), else_=0)


def _some(figures: Figures) -> ColumnElement[bool]:
    """Who gets any. Where no figure is 0, the line type says so for less than the table costs."""
    if all(all(years) for _, years in figures.table):
        return _line_type.in_([line_type for line_type, _ in figures.table])
    return _points(figures) > 0


def _by_year(points: tuple[int, ...]) -> ColumnElement[int]:
    *years, ever = points
    if not years:
        return literal(ever)
    since = (
        _members.c.joined_at >= parameter(f"joined_from_{year}", datetime)
        for year in range(1, len(years) + 1)
    )
    return case(*zip(since, years, strict=True), else_=ever)


def _is_member() -> ColumnElement[bool]:
    """At 00:00 of the day already, and still at the instant of granting."""
    return and_(
        _members.c.joined_at <= _MIDNIGHT,
        _members.c.counted_from <= AT,
        or_(_members.c.left_at.is_(None), _members.c.left_at > AT),
    )


def _in_use(whose: Whose) -> ColumnElement[bool]:
    """PNT-3: with the discount, in force, and not suspended."""
    suspended = exists().where(
        as_well(whose(_blocks)),
        _blocks.c.contract_id == _contracts.c.contract_id,
        _blocks.c.from_at <= AT,
        or_(_blocks.c.until_at.is_(None), _blocks.c.until_at > AT),
    )
    return and_(
        _contracts.c.two_year_discount,
        _contracts.c.in_force_from <= _ON,
        or_(_contracts.c.in_force_to.is_(None), _contracts.c.in_force_to >= _ON),
        or_(_contracts.c.ended_at.is_(None), _contracts.c.ended_at > AT),
        ~suspended,
    )

"""The monthly grant (PNT-2, PNT-3): one statement a chunk, which gives the same whenever and however often it runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
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
from rules.figures import PointGrant, Policy
from store.ledger import BlockRow, FeeRow, MemberRow, PointRow
from store.points_hold import hold_ends_back
from store.sql import Whose, everybody, many_at_once, within
from store.tables import ContractRow
from store.write import insert_found, table

JOB = "points-grant"
COLUMNS = ["contract_id", "points", "granted_on", "what", "ref", "lapses_on", "at"]

_rows, _members, _contracts = table(PointRow), table(MemberRow), table(ContractRow)
_fees, _blocks = table(FeeRow), table(BlockRow)
_line_type: ColumnElement[str] = func.coalesce(_fees.c.item, _contracts.c.line_type)


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
    found = _due(period, policy, everybody).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def chunk(connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
    """Grant to the contracts after `after` and up to `until`. Returns how many got theirs now."""
    hold_ends_back(connection)
    whose = within(after, until)
    with many_at_once(connection):
        begun = _any(connection, _lots_of(period, whose))
        if begun and not _any(connection, _without(period, whose, policy)):
            return 0
        if begun and not _any(connection, _missing(period, policy, whose)):
            return 0
        return grant(connection, period, whose, policy, fresh=not begun)


def left(connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
    """Contracts that should have got points for the month and have not."""
    missing = _missing(period, policy, everybody).order_by("contract_id").limit(limit)
    return list(connection.execute(missing).scalars())


def _missing(period: str, policy: Policy, whose: Whose) -> CompoundSelect[Any]:
    found = _due(period, policy, whose).subquery()
    return select(found.c.contract_id).except_(_lots_of(period, whose))


def _without(period: str, whose: Whose, policy: Policy) -> CompoundSelect[Any]:
    """Members who got nothing: all in all a look at them costs less than finding out who should have got something."""
    on, at = jobs.following(period), jobs.due_at(policy.job(JOB), period)
    mine = select(_members.c.contract_id).where(whose(_members), _is_member(on, at))
    return mine.except_(_lots_of(period, whose))


def _lots_of(period: str, whose: Whose) -> Select[Any]:
    """Who has a lot of the month."""
    mine = and_(_rows.c.granted_on == jobs.following(period), whose(_rows), _rows.c.what == "grant")
    return select(_rows.c.contract_id).where(mine)


def _any(connection: Connection, found: Select[Any] | CompoundSelect[Any]) -> bool:
    return connection.execute(found.limit(1)).first() is not None


def grant(connection: Connection, period: str, whose: Whose, policy: Policy, fresh: bool = False) -> int:
    """A lot to each member that `whose` is about and that had none for the month. `fresh`: as for `insert_found`."""
    return insert_found(connection, PointRow, COLUMNS, _lots(period, whose, policy), fresh)


def _lots(period: str, whose: Whose, policy: Policy) -> Select[Any]:
    granted_on = jobs.following(period)
    return _due(period, policy, whose).add_columns(
        literal(granted_on, _rows.c.granted_on.type),
        literal("grant"),
        literal(""),
        literal(points.lapses_on(granted_on, policy), _rows.c.lapses_on.type),
        literal(jobs.due_at(policy.job(JOB), period), _rows.c.at.type),
    )


def _due(period: str, policy: Policy, whose: Whose) -> Select[tuple[str, int]]:
    """Who gets how many, by facts as of the instant of granting: what has changed since then changes nothing."""
    on, at = jobs.following(period), jobs.due_at(policy.job(JOB), period)
    base = and_(
        whose(_fees),
        _fees.c.contract_id == _contracts.c.contract_id,
        _fees.c.part == "base",
        _fees.c.first_day <= on,
        or_(_fees.c.last_day.is_(None), _fees.c.last_day >= on),
    )
    joined = _members.join(_contracts, _contracts.c.contract_id == _members.c.contract_id)
    return (
        select(_members.c.contract_id, _points(on, policy).label("points"))
        .select_from(joined.outerjoin(_fees, base))
        .where(whose(_members), whose(_contracts), _is_member(on, at), _in_use(on, at, whose))
        .where(_some(on, policy))
    )


def _points(on: date, policy: Policy) -> ColumnElement[int]:
    """The table of the policy, by line type and year of membership; the last figure holds for ever (PNT-2)."""
    return case(
        *((_line_type == grant.line_type, _by_year(grant, on)) for grant in policy.point_grants), else_=0
    )


def _some(on: date, policy: Policy) -> ColumnElement[bool]:
    """Who gets any. Where no figure is 0, the line type says so for less than the table costs."""
    if all(all(grant.points) for grant in policy.point_grants):
        return _line_type.in_([grant.line_type for grant in policy.point_grants])
    return _points(on, policy) > 0


def _by_year(grant: PointGrant, on: date) -> ColumnElement[int]:
    *years, ever = grant.points
    if not years:
        return literal(ever)
    since = (_members.c.joined_at >= points.joined_from(on, year) for year in range(1, len(years) + 1))
    return case(*zip(since, years, strict=True), else_=ever)


def _is_member(on: date, at: datetime) -> ColumnElement[bool]:
    """At 00:00 of the day already, and still at the instant of granting."""
    return and_(
        _members.c.joined_at <= midnight(on),
        _members.c.counted_from <= at,
        or_(_members.c.left_at.is_(None), _members.c.left_at > at),
    )


def _in_use(on: date, at: datetime, whose: Whose) -> ColumnElement[bool]:
    """PNT-3: with the discount, in force, and not suspended."""
    suspended = exists().where(
        whose(_blocks),
        _blocks.c.contract_id == _contracts.c.contract_id,
        _blocks.c.from_at <= at,
        or_(_blocks.c.until_at.is_(None), _blocks.c.until_at > at),
    )
    return and_(
        _contracts.c.two_year_discount,
        _contracts.c.in_force_from <= on,
        or_(_contracts.c.in_force_to.is_(None), _contracts.c.in_force_to >= on),
        or_(_contracts.c.ended_at.is_(None), _contracts.c.ended_at > at),
        ~suspended,
    )

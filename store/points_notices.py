"""What members are told of their points: the balance each month, and early in the year what is about to lapse (PNT-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, literal, or_, select, true

from rules import jobs
from rules.calendar import day_of, fiscal_year_end
from rules.figures import Policy
from rules.points import last_days
from rules.runs import delivery_prefix
from store.ledger import MemberRow, PointRow
from store.runs import NOTICE
from store.sql import (
    AT,
    AT_MOST,
    LAST_DAYS,
    Whose,
    as_well,
    everybody,
    json_of,
    many_at_once,
    parameter,
    within,
)
from store.tables import DeliveryRow
from store.write import insert_found, table

_rows, _members, _deliveries = table(PointRow), table(MemberRow), table(DeliveryRow)
_LAST_DAY = parameter("the_last_day", date)
_RUN = parameter("the_run", str)
_key = _deliveries.c.delivery_id
_WRITTEN = select(func.count()).where(_key > parameter("the_first", str), _key <= parameter("the_last", str))


@dataclass(frozen=True)
class PointsNotice:
    """A run that writes to members. `warns`: only to those of whose points some lapse with this fiscal year."""

    job: str
    kind: str
    warns: bool

    def expected(self, connection: Connection, period: str, policy: Policy) -> int:
        """How many are to be written to."""
        return int(connection.execute(_concerned(self), self._given(period, policy)).scalar_one())

    def chunk(self, connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
        """A mail for each member after `after` and up to `until`; how many have theirs now."""
        whom, run = within(after, until), delivery_prefix(self.job, period)
        given = self._given(period, policy) | whom.given
        named = {"the_first": f"{run}{after}", "the_last": f"{run}{until}-{self.kind}"}
        if after:
            named["the_first"] += f"-{self.kind}"
        with many_at_once(connection):
            insert_found(connection, DeliveryRow, NOTICE, _mails(self, whom.whose), given)
        return int(connection.execute(_WRITTEN, named).scalar_one())

    def left(self, connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
        """Members who should have a mail and have none."""
        given = self._given(period, policy) | {"the_most": limit}
        return list(connection.execute(_left(self), given).scalars())

    def _given(self, period: str, policy: Policy) -> dict[str, Any]:
        at = jobs.due_at(policy.job(self.job), period)
        last_day = fiscal_year_end(day_of(at))
        return {
            "the_at": at,
            "the_last_days": last_days(day_of(at)),
            "the_last_day": last_day,
            "the_last_day_in_words": last_day.isoformat(),
            "the_run": delivery_prefix(self.job, period),
        }


@cache
def _concerned(notice: PointsNotice) -> Select[Any]:
    return select(func.count()).select_from(_told(notice, everybody).subquery())


@cache
def _left(notice: PointsNotice) -> Select[Any]:
    found = _told(notice, everybody).subquery()
    written = exists().where(_deliveries.c.delivery_id == _name(notice, found.c.contract_id))
    return select(found.c.contract_id).where(~written).order_by(found.c.contract_id).limit(AT_MOST)


@cache
def _mails(notice: PointsNotice, whose: Whose) -> Select[Any]:
    found = _told(notice, whose).subquery()
    data = {
        "balance": found.c.balance,
        "lapsing_this_fiscal_year": found.c.lapsing,
        "lapses_on": parameter("the_last_day_in_words", str),
    }
    name, kind = _name(notice, found.c.contract_id), literal(notice.kind)
    return select(name, found.c.contract_id, kind, AT, literal(0), json_of(**data)).where(true())


def _name(notice: PointsNotice, contract_id: ColumnElement[str]) -> ColumnElement[str]:
    return _RUN + contract_id + f"-{notice.kind}"


def _told(notice: PointsNotice, whose: Whose) -> Select[Any]:
    """Members as of the instant at which the run was due, with balance and what lapses, as of then too."""
    lapsing = case((_rows.c.lapses_on == _LAST_DAY, _rows.c.points), else_=0)
    sums = func.coalesce(func.sum(_rows.c.points), 0), func.coalesce(func.sum(lapsing), 0)
    found = (
        select(_members.c.contract_id, sums[0].label("balance"), sums[1].label("lapsing"))
        .select_from(_members.outerjoin(_rows, and_(as_well(whose(_rows)), _counted())))
        .where(whose(_members), _is_member())
        .group_by(_members.c.contract_id)
    )
    return found.having(sums[1] > 0) if notice.warns else found


def _counted() -> ColumnElement[bool]:
    return and_(
        _rows.c.contract_id == _members.c.contract_id, _rows.c.at <= AT, _rows.c.lapses_on.in_(LAST_DAYS)
    )


def _is_member() -> ColumnElement[bool]:
    left = or_(_members.c.left_at.is_(None), _members.c.left_at > AT)
    return and_(_members.c.joined_at <= AT, _members.c.counted_from <= AT, left)


MAIL = PointsNotice("points-mail", "points_balance", warns=False)
WARNING = PointsNotice("points-warning", "points_warning", warns=True)

"""What members are told of their points: the balance each month, and early in the year what is about to lapse (PNT-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, literal, or_, select, true

from rules import jobs
from rules.calendar import day_of, fiscal_year_end
from rules.figures import Policy
from store.ledger import MemberRow, PointRow
from store.sql import Whose, everybody, json_of, many_at_once, within
from store.tables import DeliveryRow
from store.write import insert_found, table

COLUMNS = ["delivery_id", "contract_id", "kind", "at", "tries", "data"]
_rows, _members, _deliveries = table(PointRow), table(MemberRow), table(DeliveryRow)


@dataclass(frozen=True)
class PointsNotice:
    """A run that writes to members. `warns`: only to those of whose points some lapse with this fiscal year."""

    job: str
    kind: str
    warns: bool

    def expected(self, connection: Connection, period: str, policy: Policy) -> int:
        """How many are to be written to."""
        found = self._told(period, policy, everybody).subquery()
        return int(connection.execute(select(func.count()).select_from(found)).scalar_one())

    def chunk(self, connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
        """A mail for each member after `after` and up to `until`. Returns how many are new."""
        with many_at_once(connection):
            mails = self._mails(period, policy, within(after, until))
            return insert_found(connection, DeliveryRow, COLUMNS, mails)

    def left(self, connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
        """Members who should have a mail and have none."""
        found = self._told(period, policy, everybody).subquery()
        written = exists().where(_deliveries.c.delivery_id == self._name(period, found.c.contract_id))
        missing = select(found.c.contract_id).where(~written).order_by(found.c.contract_id).limit(limit)
        return list(connection.execute(missing).scalars())

    def _name(self, period: str, contract_id: ColumnElement[str]) -> ColumnElement[str]:
        return literal(f"r-{self.job}-{period}-") + contract_id + f"-{self.kind}"

    def _mails(self, period: str, policy: Policy, whose: Whose) -> Select[Any]:
        at = jobs.due_at(policy.job(self.job), period)
        found = self._told(period, policy, whose).subquery()
        data = {
            "balance": found.c.balance,
            "lapsing_this_fiscal_year": found.c.lapsing,
            "lapses_on": literal(fiscal_year_end(day_of(at)).isoformat()),
        }
        return select(
            self._name(period, found.c.contract_id),
            found.c.contract_id,
            literal(self.kind),
            literal(at, _deliveries.c.at.type),
            literal(0),
            json_of(**data),
        ).where(true())

    def _told(self, period: str, policy: Policy, whose: Whose) -> Select[Any]:
        """Members as of the instant at which the run was due, with balance and what lapses, as of then too."""
        at = jobs.due_at(policy.job(self.job), period)
        lapsing = case((_rows.c.lapses_on == fiscal_year_end(day_of(at)), _rows.c.points), else_=0)
        sums = func.coalesce(func.sum(_rows.c.points), 0), func.coalesce(func.sum(lapsing), 0)
        found = (
            select(_members.c.contract_id, sums[0].label("balance"), sums[1].label("lapsing"))
            .select_from(_members.outerjoin(_rows, and_(whose(_rows), _counted(at))))
            .where(whose(_members), _is_member(at))
            .group_by(_members.c.contract_id)
        )
        return found.having(sums[1] > 0) if self.warns else found


def _counted(at: datetime) -> ColumnElement[bool]:
    return and_(
        _rows.c.contract_id == _members.c.contract_id,
        _rows.c.at <= at,
        _rows.c.lapses_on >= day_of(at),
    )


def _is_member(at: datetime) -> ColumnElement[bool]:
    left = or_(_members.c.left_at.is_(None), _members.c.left_at > at)
    return and_(_members.c.joined_at <= at, _members.c.counted_from <= at, left)


MAIL = PointsNotice("points-mail", "points_balance", warns=False)
WARNING = PointsNotice("points-warning", "points_warning", warns=True)

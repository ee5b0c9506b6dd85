"""A line's points: a ledger of lots, of which no row is ever altered or deleted (PNT-10)."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select, update

from rules import collection, jobs, points, policy
from rules.calendar import day_of, first_of_month, midnight
from rules.figures import Policy
from rules.points import Lot, Wanted
from rules.refusal import Refusal
from store import contracts, points_grant, points_lapse, statements
from store.ledger import ExchangeRow, MemberRow, PointRow, RunRow
from store.points_grant import ledger_row
from store.points_hold import wait_for_runs
from store.sql import AT, CONTRACT, LAST_DAYS, only
from store.tables import LineAccessRow
from store.timeline import note
from store.write import insert, insert_found, table

_rows, _members, _exchanges = table(PointRow), table(MemberRow), table(ExchangeRow)
_runs, _access = table(RunRow), table(LineAccessRow)
_LEFT = func.sum(_rows.c.points)


def lots(connection: Connection, contract_id: str, now: datetime) -> list[Lot]:
    """What may be spent at `now`, oldest first: what has lapsed by its date counts no more, whether noted or not."""
    found = (
        select(_rows.c.granted_on, _rows.c.lapses_on, _LEFT.label("left"))
        .where(_rows.c.contract_id == contract_id, _rows.c.lapses_on.in_(points.last_days(day_of(now))))
        .group_by(_rows.c.granted_on, _rows.c.lapses_on)
        .having(_LEFT > 0)
        .order_by(_rows.c.granted_on)
    )
    return [Lot(**row) for row in connection.execute(found).mappings()]


def exchange(
    connection: Connection, contract_id: str, wanted: Wanted, from_line: bool, now: datetime, figures: Policy
) -> Refusal | None:
    """Spend points, or say why not. Holds the line's row, so that none are spent twice. Repeating it does nothing."""
    contract = contracts.lock_line(connection, contract_id)
    if _exchanged(connection, wanted.exchange_id):
        return None
    if no := points.not_usable(contract, now):
        return no
    bring_up(connection, contract_id, now, figures)
    close_awaited(connection, contract_id, now, figures)
    held = lots(connection, contract_id, now)
    paid = _paid(connection, contract_id, midnight(first_of_month(day_of(now))))
    proven = from_line or key_registered(connection, contract_id)
    no = points.refusal(wanted, paid, held, proven, now, figures, contract.in_force_to)
    if no is None:
        _spend(connection, contract_id, wanted, points.spend(held, wanted.points), now)
    return no


def _exchanged(connection: Connection, exchange_id: str) -> bool:
    found = select(_exchanges.c.exchange_id).where(_exchanges.c.exchange_id == exchange_id)
    return connection.execute(found).first() is not None


def _paid(connection: Connection, contract_id: str, since: datetime) -> int:
    """Points that went into bills since then (PNT-6)."""
    mine = (_exchanges.c.contract_id == contract_id) & (_exchanges.c.kind == "bill_payment")
    found = select(func.coalesce(func.sum(_exchanges.c.points), 0)).where(mine, _exchanges.c.at >= since)
    return int(connection.execute(found).scalar_one())


def _spend(
    connection: Connection, contract_id: str, wanted: Wanted, taken: list[tuple[Lot, int]], now: datetime
) -> None:
    bill = jobs.month(first_of_month(day_of(now), 1)) if wanted.kind == "bill_payment" else None
    row = {"contract_id": contract_id, "exchange_id": wanted.exchange_id, "kind": wanted.kind, "at": now}
    row |= {"item": wanted.item, "points": wanted.points, "period": bill, "used": None}
    insert(connection, ExchangeRow, [row])
    spent = [
        ledger_row(contract_id, lot.granted_on, lot.lapses_on, "spend", wanted.exchange_id, -part, now)
        for lot, part in taken
    ]
    insert(connection, PointRow, spent)
    note(connection, contract_id, f"points_for_{wanted.kind}", now, points=wanted.points)


def key_registered(connection: Connection, contract_id: str) -> bool:
    """Whether exchanges need the line no more (PNT-7)."""
    found = select(_access.c.key_registered_at).where(_access.c.contract_id == contract_id)
    return connection.execute(found).scalar_one_or_none() is not None


def register_key(connection: Connection, contract_id: str, now: datetime) -> Refusal | None:
    """From now on exchanges need no line; or why not. Repeating it changes nothing."""
    no = points.not_usable(contracts.lock_line(connection, contract_id), now)
    if no is None and not key_registered(connection, contract_id):
        mine = _access.c.contract_id == contract_id
        connection.execute(update(_access).where(mine).values(key_registered_at=now))
        note(connection, contract_id, "authentication_key_registered", now)
    return no


def catch_up(connection: Connection, contract_id: str, now: datetime, figures: Policy) -> None:
    """The same for whoever only looks, as long as the line is there."""
    if points.not_usable(contracts.lock_line(connection, contract_id), now) is None:
        bring_up(connection, contract_id, now, figures)
        close_awaited(connection, contract_id, now, figures)


def owes(connection: Connection, contract_id: str, now: datetime, figures: Policy) -> bool:
    """Whether a late run owes the line something that `catch_up` would write."""
    granting = _behind(connection, contract_id, now, figures, points_grant.JOB, points_lapse.JOB)
    return bool(granting or _late_bills(connection, contract_id, now, figures))


def bring_up(connection: Connection, contract_id: str, until: datetime, figures: Policy) -> None:
    """What runs should have granted the line, or let lapse, by `until`: a late run changes nobody's points (PNT-10).

    A suspension that a late engine has not written down yet is known by the dates of the bill (PNT-3).
    """
    late = _behind(connection, contract_id, until, figures, points_grant.JOB, points_lapse.JOB)
    contract = contracts.snapshot(connection, contract_id) if late else None
    for due in late:
        if due.job != points_grant.JOB:
            points_lapse.lapse(connection, due.period, only(contract_id))
        elif contract and not collection.suspended(contract, due.at):
            points_grant.grant(connection, due.period, only(contract_id), figures)


def close_awaited(connection: Connection, contract_id: str, now: datetime, figures: Policy) -> None:
    """A bill that points are to come off is made first where month end is late: what it does not need may be spent (PNT-6)."""
    for period in _late_bills(connection, contract_id, now, figures):
        statements.close(connection, period, only(contract_id), figures)


def _late_bills(connection: Connection, contract_id: str, now: datetime, figures: Policy) -> list[str]:
    """The months that month end has not closed, where points are to come off the bill of one of them."""
    late = [due.period for due in _behind(connection, contract_id, now, figures, statements.JOB)]
    first = _awaited(connection, contract_id) if late else None
    return late if first is not None and first <= late[-1] else []


def _awaited(connection: Connection, contract_id: str) -> str | None:
    """The earliest month whose bill points are still to come off."""
    mine = _exchanges.c.used.is_(None) & (_exchanges.c.contract_id == contract_id)
    first: str | None = connection.execute(select(func.min(_exchanges.c.period)).where(mine)).scalar_one()
    return first


def _behind(
    connection: Connection, contract_id: str, until: datetime, figures: Policy, *named: str
) -> list[jobs.Due]:
    """The runs of the jobs `named` that concern the line and should be done by `until`, but are not."""
    found = select(_members.c.counted_from).where(_members.c.contract_id == contract_id)
    since = connection.execute(found).scalar_one_or_none()
    if since is None:
        return []
    done = select(_runs.c.job, _runs.c.period).where(_runs.c.state == "done")
    known = {(row.job, row.period) for row in connection.execute(done.where(_runs.c.due_at > since))}
    due = jobs.due_between(since, until, figures)
    return [one for one in due if one.job in named and (one.job, one.period) not in known]


def forfeit(connection: Connection, contract_id: str, at: datetime) -> None:
    """At this instant the balance is 0, and nobody is a member by this line any more (PNT-9, COL-4, LIN-4)."""
    wait_for_runs(connection)
    bring_up(connection, contract_id, at, policy.current())
    given = {"the_contract": contract_id, "the_at": at, "the_last_days": _at_the_end(at)}
    insert_found(connection, PointRow, points_grant.COLUMNS, _forfeits(), given)
    mine = (_members.c.contract_id == contract_id) & _members.c.left_at.is_(None)
    connection.execute(update(_members).where(mine).values(left_at=at))


def _at_the_end(at: datetime) -> list[date]:
    """The last days of lots that may be there: where a fiscal year ended just now, no run has let its lots lapse yet."""
    return points.last_days(day_of(at), ended=1)


@cache
def _forfeits() -> Select[Any]:
    """What is left of each lot."""
    columns = _rows.c.granted_on, literal("forfeit"), literal(""), _rows.c.lapses_on, AT
    return (
        select(_rows.c.contract_id, -_LEFT, *columns)
        .where(_rows.c.contract_id == CONTRACT, _rows.c.lapses_on.in_(LAST_DAYS))
        .group_by(_rows.c.contract_id, _rows.c.granted_on, _rows.c.lapses_on)
        .having(_LEFT > 0)
    )


def forfeited(connection: Connection, contract_id: str, at: datetime) -> int:
    """How many points were lost at that instant."""
    mine = (_rows.c.contract_id == contract_id) & _rows.c.lapses_on.in_(_at_the_end(at))
    then = (_rows.c.what == "forfeit") & (_rows.c.at == at)
    return -int(connection.execute(select(func.coalesce(_LEFT, 0)).where(mine, then)).scalar_one())

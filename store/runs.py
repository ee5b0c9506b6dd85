"""How far the runs over all contracts came, which contracts they parked, and what they have to send."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from rules.calendar import midnight
from rules.facts import Contract, Delivery
from rules.runs import END, Progress, Range
from store.ledger import ParkedRow, RunRow
from store.tables import ContractRow, DeliveryRow
from store.write import table, upsert

_rows, _parked, _contracts = table(RunRow), table(ParkedRow), table(ContractRow)
_deliveries = table(DeliveryRow)


def begin(
    connection: Connection, job: str, period: str, due_at: datetime, now: datetime, expected: int
) -> None:
    """The run goes on, for the first time or again."""
    row = {
        "job": job,
        "period": period,
        "state": "running",
        "due_at": due_at,
        "started_at": now,
        "finished_at": None,
        "expected": expected,
        "done": 0,
        "result": None,
    }
    upsert(connection, RunRow, [row], change=("state", "started_at", "finished_at", "expected", "done"))
    connection.execute(delete(_parked).where(_parked.c.job == job, _parked.c.period == period))


def advance(connection: Connection, job: str, period: str, done: int) -> None:
    """So many contracts more were dealt with; for people to look at, the proof does not go by it."""
    mine = (_rows.c.job == job) & (_rows.c.period == period)
    connection.execute(update(_rows).where(mine).values(done=_rows.c.done + done))


def end(
    connection: Connection, job: str, period: str, now: datetime, result: dict[str, Any], done: int
) -> None:
    """Everything was dealt with, or (`left` in the result) contracts are left and an operator is waited for."""
    waits = bool(result.get("left"))
    values = {"state": "waiting" if waits else "done", "finished_at": None if waits else now}
    mine = (_rows.c.job == job) & (_rows.c.period == period)
    connection.execute(update(_rows).where(mine).values(result=result, done=done, **values))


def of(connection: Connection, job: str, period: str) -> Progress | None:
    """That run; None where it was never begun."""
    mine = (_rows.c.job == job) & (_rows.c.period == period)
    row = connection.execute(select(_rows).where(mine)).mappings().first()
    return Progress(**row) if row else None


def latest(connection: Connection) -> dict[str, Progress]:
    """The run of each job with the latest period."""
    found = connection.execute(select(_rows).order_by(_rows.c.due_at)).mappings()
    return {row["job"]: Progress(**row) for row in found}


def calendar_began(connection: Connection) -> datetime | None:
    """From when on runs are due: after the last one that is done, else since the first contract was applied for.

    For contracts that were brought in: since the day from which on they are counted here.
    """
    last = connection.execute(select(func.max(_rows.c.due_at)).where(_rows.c.state != "running")).scalar()
    if last:
        return cast("datetime", last)
    ours = select(func.min(_contracts.c.applied_at)).where(_contracts.c.counted_from.is_(None))
    applied = connection.execute(ours).scalar()
    counted = connection.execute(select(func.min(_contracts.c.counted_from))).scalar()
    began = [applied, midnight(counted) if counted else None]
    return min((at for at in began if at), default=None)


def ranges(connection: Connection, streams: int, least: int) -> list[Range]:
    """All contracts in so many ranges of about the same size; in one where they would be of fewer than `least`."""
    total = int(connection.execute(select(func.count()).select_from(_contracts)).scalar_one())
    if streams == 1 or total < least * streams:
        return [Range()]
    ids = select(_contracts.c.contract_id).order_by(_contracts.c.contract_id).limit(1)
    inner = [
        str(connection.execute(ids.offset(total * n // streams)).scalar_one()) for n in range(1, streams)
    ]
    bounds = [Range().after, *inner, Range().until]
    return [Range(after=after, until=until) for after, until in pairwise(bounds)]


def chunk_end(connection: Connection, after: str, until: str, size: int) -> str | None:
    """The last of the next `size` contracts of a range; None where no more are left than that."""
    ids = _contracts.c.contract_id
    found = select(ids).where(ids > after, ids <= until).order_by(ids).offset(size - 1).limit(2)
    last, *more = connection.execute(found).scalars().all() or [None]
    return last if more else None


def middle(connection: Connection, after: str, until: str) -> str | None:
    """A contract that halves the range; None where it is the only one, or there is none."""
    ids = _contracts.c.contract_id
    inside = (ids > after) & (ids <= until)
    count = int(connection.execute(select(func.count()).where(inside)).scalar_one())
    found = select(ids).where(inside).order_by(ids).offset(count // 2 - 1).limit(1)
    return str(connection.execute(found).scalar_one()) if count > 1 else None


def park(
    connection: Connection, job: str, period: str, after: str, until: str, reason: str, now: datetime
) -> None:
    """The one contract of the range cannot be dealt with; it holds up nobody else."""
    ids = _contracts.c.contract_id
    for contract_id in connection.execute(select(ids).where(ids > after, ids <= until)).scalars().all():
        put_aside(connection, job, period, contract_id, reason, now)


def put_aside(
    connection: Connection, job: str, period: str, contract_id: str, reason: str, now: datetime
) -> None:
    """The contract cannot be dealt with, or told of it, until somebody has looked at it."""
    row = {"job": job, "period": period, "contract_id": contract_id, "reason": reason, "since": now}
    upsert(connection, ParkedRow, [row], change=("reason",))


def parked(connection: Connection, job: str, period: str) -> list[RowMapping]:
    found = select(_parked.c.contract_id, _parked.c.reason)
    mine = found.where(_parked.c.job == job, _parked.c.period == period).order_by(_parked.c.contract_id)
    return list(connection.execute(mine.limit(100)).mappings())


def late(connection: Connection, until: datetime, limit: int) -> list[Contract]:
    """Contracts with a deadline that passed by then and that nobody has kept yet."""
    found = select(_contracts.c.snapshot).where(_contracts.c.due_at <= until).order_by(_contracts.c.due_at)
    return [Contract.model_validate(row) for row in connection.execute(found.limit(limit)).scalars()]


def unsent(connection: Connection, job: str, period: str, limit: int) -> list[Delivery]:
    """The next mails and letters of the run that have not left yet, but for what is parked."""
    stuck = select(_parked.c.contract_id).where(_parked.c.job == job, _parked.c.period == period)
    waiting = _untold(job, period) & _deliveries.c.contract_id.not_in(stuck)
    found = select(_deliveries).where(waiting).order_by(_deliveries.c.delivery_id).limit(limit)
    names = Delivery.model_fields
    return [
        Delivery(**{name: value for name, value in row.items() if name in names})
        for row in connection.execute(found).mappings()
    ]


def sent(connection: Connection, job: str, period: str) -> int:
    """How many mails and letters of the run have left."""
    mine = _told(job, period) & (_deliveries.c.outcome == "arrived")
    return int(connection.execute(select(func.count()).where(mine)).scalar_one())


def untold(connection: Connection, job: str, period: str, limit: int) -> list[str]:
    """Contracts that the run has something to tell to and has not."""
    found = select(_deliveries.c.contract_id).where(_untold(job, period)).order_by(_deliveries.c.contract_id)
    return list(connection.execute(found.limit(limit)).scalars())


def _untold(job: str, period: str) -> Any:
    return _told(job, period) & _deliveries.c.outcome.is_(None)


def _told(job: str, period: str) -> Any:
    key = _deliveries.c.delivery_id
    return (key > f"r-{job}-{period}-") & (key < f"r-{job}-{period}-{END}")

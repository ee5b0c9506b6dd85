"""How far the runs over all contracts came, which contracts they parked, and what they have to send."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from itertools import chain, pairwise
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy import Connection, Select, delete, func, select, update

from rules import jobs
from rules.calendar import midnight
from rules.facts import Contract, Delivery
from rules.figures import Policy
from rules.runs import CATCH_UP, END, Progress, Range, Run, delivery_prefix
from store.deliveries import UNDELIVERABLE
from store.ledger import ParkedRow, RunRow
from store.sql import AFTER, AT, AT_MOST, PERIOD, UNTIL, parameter
from store.tables import ContractRow, DeliveryRow
from store.write import set_values, table, upsert

_rows, _parked, _contracts = table(RunRow), table(ParkedRow), table(ContractRow)
_deliveries = table(DeliveryRow)

NOTICE = ("delivery_id", "contract_id", "kind", "at", "tries", "data")
"""What a run says of each mail and letter that it has to send."""

NAMED = 100
"""Of contracts that failed alone."""

_JOB = parameter("the_job", str)
_MINE = (_rows.c.job == _JOB) & (_rows.c.period == PERIOD)
_KNOWN = select(_rows).where(_MINE)
_ADVANCE = update(_rows).where(_MINE).values(done=_rows.c.done + parameter("the_done", int))
_ADVANCE = _ADVANCE.returning(_rows.c.done)

_STUCK = (_parked.c.job == _JOB) & (_parked.c.period == PERIOD)
_UNPARK = delete(_parked).where(_STUCK)
_PARKED = (
    select(_parked.c.contract_id, _parked.c.reason).where(_STUCK).order_by(_parked.c.contract_id).limit(NAMED)
)

_ids = _contracts.c.contract_id
_CHUNK_END = (
    select(_ids)
    .where(_ids > AFTER, _ids <= UNTIL)
    .order_by(_ids)
    .offset(parameter("the_others", int))
    .limit(2)
)
_LATE = (
    select(_contracts.c.contract_id, _contracts.c.snapshot)
    .where(_contracts.c.due_at <= AT)
    .order_by(_contracts.c.due_at)
    .limit(AT_MOST)
)

_key = _deliveries.c.delivery_id
_TOLD = (_key > AFTER) & (_key < UNTIL)
_UNSENT_YET = _TOLD & _deliveries.c.outcome.is_(None)
_PUT_OFF = _UNSENT_YET & _deliveries.c.put_off_since.is_not(None)
_WAITING = _UNSENT_YET & _deliveries.c.put_off_since.is_(None)
_UNSENT = (
    select(_deliveries)
    .where(_WAITING, _deliveries.c.contract_id.not_in(select(_parked.c.contract_id).where(_STUCK)))
    .order_by(_key)
    .limit(AT_MOST)
)
_SENT = select(func.count()).where(_TOLD & (_deliveries.c.outcome == "arrived"))
_DUE_AGAIN = select(_deliveries).where(_PUT_OFF, _deliveries.c.next_try_at <= AT).limit(AT_MOST)
_NEXT_TRY = select(func.min(_deliveries.c.next_try_at)).where(_PUT_OFF)
_REFUSED = (
    select(_deliveries.c.contract_id, func.coalesce(_deliveries.c.trouble, UNDELIVERABLE).label("reason"))
    .where(_PUT_OFF | (_TOLD & (_deliveries.c.outcome == UNDELIVERABLE)))
    .order_by(_key)
    .limit(NAMED)
)
_UNTOLD = select(_deliveries.c.contract_id).where(_WAITING).order_by(_deliveries.c.contract_id).limit(AT_MOST)


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
    connection.execute(_UNPARK, _given(job, period))


def advance(connection: Connection, job: str, period: str, done: int) -> int:
    """So many contracts more were dealt with; how many the run has by now. The proof does not go by it."""
    return connection.execute(_ADVANCE, _given(job, period) | {"the_done": done}).scalar() or 0


def end(
    connection: Connection, job: str, period: str, now: datetime, result: dict[str, Any], done: int
) -> None:
    """Everything was dealt with, or (`left` in the result) contracts are left and an operator is waited for."""
    waits = bool(result.get("left"))
    values = {"state": "waiting" if waits else "done", "finished_at": None if waits else now}
    row = {"job": job, "period": period, "done": done, "result": result} | values
    set_values(connection, RunRow, [row])


def of(connection: Connection, job: str, period: str) -> Progress | None:
    """That run; None where it was never begun."""
    row = connection.execute(_KNOWN, _given(job, period)).mappings().first()
    return Progress(**row) if row else None


def latest(connection: Connection) -> dict[str, Progress]:
    """The run of each job that was begun last, be it an older period once more."""
    found = connection.execute(select(_rows).order_by(_rows.c.started_at, _rows.c.due_at)).mappings()
    return {row["job"]: Progress(**row) for row in found}


def overdue(connection: Connection, now: datetime, policy: Policy) -> list[Run]:
    """Of each job that was ever run here the run that was due last, where it is not done."""
    found = connection.execute(select(_rows.c.job, _rows.c.period, _rows.c.state)).all()
    known, done = {row.job for row in found}, {row[:2] for row in found if row.state == "done"}
    due = [jobs.last_due(job, now) for job in policy.jobs if job.job in known]
    return [Run(job=one.job, period=one.period) for one in due if (one.job, one.period) not in done]


def before(connection: Connection, run: Run, policy: Policy) -> tuple[Run, bool] | None:
    """The run of the same job that has to come first, and whether it was begun; None where none is under way or to come.

    Of two months that are closed at the same time the later one would bill the charges of the earlier. One that waits
    for an operator holds up nobody. What is missing for longer than a schedule catches up with was never meant to run.
    """
    mine = (_rows.c.job == run.job) & (_rows.c.period < run.period)
    found = select(_rows.c.period, _rows.c.state).where(mine).order_by(_rows.c.period.desc()).limit(1)
    last = connection.execute(found).first()
    if last is None:
        return None
    if last.state == "running":
        return Run(job=run.job, period=last.period), True
    job = policy.job(run.job)
    then = jobs.due_at(job, last.period)
    due = jobs.next_due(job, then)
    to_come = due.period < run.period and jobs.due_at(job, run.period) - then < CATCH_UP
    return (Run(job=run.job, period=due.period), False) if to_come else None


def calendar_began(connection: Connection) -> datetime | None:
    """From when on runs are due: after the last one that is done, and never before there is somebody whom they concern.

    That is since the first contract was applied for; for contracts that were brought in, since the day from which on
    they are counted here.
    """
    ours = select(func.min(_contracts.c.applied_at)).where(_contracts.c.counted_from.is_(None))
    applied = connection.execute(ours).scalar()
    counted = connection.execute(select(func.min(_contracts.c.counted_from))).scalar()
    began = [at for at in (applied, midnight(counted) if counted else None) if at]
    last = connection.execute(select(func.max(_rows.c.due_at)).where(_rows.c.state != "running")).scalar()
    # An operator may have had a period run that was over long before.
    return max(min(began), last or min(began)) if began else None


def ranges(connection: Connection, streams: int, least: int) -> list[Range]:
    """All contracts in so many ranges of about the same size; in fewer where they would be of fewer than `least`."""
    if streams == 1:
        return [Range()]
    total = int(connection.execute(select(func.count()).select_from(_contracts)).scalar_one())
    streams = max(1, min(streams, total // least))
    ids = select(_contracts.c.contract_id).order_by(_contracts.c.contract_id).limit(1)
    inner = [
        str(connection.execute(ids.offset(total * n // streams)).scalar_one()) for n in range(1, streams)
    ]
    bounds = [Range().after, *inner, Range().until]
    return [Range(after=after, until=until) for after, until in pairwise(bounds)]


def chunk_end(connection: Connection, after: str, until: str, size: int) -> str | None:
    """The last of the next `size` contracts of a range; None where no more are left than that."""
    given = {"the_after": after, "the_until": until, "the_others": size - 1}
    last, *more = connection.execute(_CHUNK_END, given).scalars().all() or [None]
    return last if more else None


def middle(connection: Connection, after: str, until: str) -> str | None:
    """A contract that halves the range; None where it is the only one, or there is none."""
    inside = (_ids > after) & (_ids <= until)
    count = int(connection.execute(select(func.count()).where(inside)).scalar_one())
    found = select(_ids).where(inside).order_by(_ids).offset(count // 2 - 1).limit(1)
    return str(connection.execute(found).scalar_one()) if count > 1 else None


def park(
    connection: Connection, job: str, period: str, after: str, until: str, reason: str, now: datetime
) -> None:
    """The one contract of the range cannot be dealt with; it holds up nobody else."""
    mine = select(_ids).where(_ids > after, _ids <= until)
    for contract_id in connection.execute(mine).scalars().all():
        put_aside(connection, job, period, contract_id, reason, now)


def put_aside(
    connection: Connection, job: str, period: str, contract_id: str, reason: str, now: datetime
) -> None:
    """The contract cannot be dealt with, or told of it, until somebody has looked at it."""
    row = {"job": job, "period": period, "contract_id": contract_id, "reason": reason, "since": now}
    upsert(connection, ParkedRow, [row], change=("reason",))


def parked(connection: Connection, job: str, period: str) -> list[dict[str, str]]:
    """Contracts that could not be dealt with, then those whose mailbox refused, for now or for good; and why."""
    rows = [connection.execute(found, _given(job, period)).mappings() for found in (_PARKED, _REFUSED)]
    return [dict(row) for row in chain(*rows)][:NAMED]


def late(connection: Connection, until: datetime, limit: int) -> dict[str, Contract | None]:
    """Contracts with a deadline that passed by then and that nobody has kept yet; None where one cannot be read."""
    found = connection.execute(_LATE, {"the_at": until, "the_most": limit})
    return {row.contract_id: _read(row.snapshot) for row in found}


def _read(snapshot: dict[str, Any]) -> Contract | None:
    with suppress(ValidationError):
        return Contract.model_validate(snapshot)
    return None


def unsent(connection: Connection, job: str, period: str, limit: int, last: str = "") -> list[Delivery]:
    """The next mails and letters of the run after `last` that have not left yet, but for what is parked.

    From the beginning it goes through all that have left already.
    """
    given = _given(job, period) | {"the_most": limit} | ({"the_after": last} if last else {})
    return _read_deliveries(connection, _UNSENT, given)


def due_again(connection: Connection, run: Run, now: datetime, limit: int) -> list[Delivery]:
    """What mailboxes have put off, and is to be tried again by now."""
    return _read_deliveries(
        connection, _DUE_AGAIN, _given(run.job, run.period) | {"the_at": now, "the_most": limit}
    )


def _read_deliveries(connection: Connection, which: Select[Any], given: dict[str, Any]) -> list[Delivery]:
    names = Delivery.model_fields
    found = connection.execute(which, given).mappings()
    return [Delivery(**{name: value for name, value in row.items() if name in names}) for row in found]


def next_try(connection: Connection, run: Run) -> datetime | None:
    """When the next of what mailboxes have put off is tried again; None where nothing is put off."""
    return cast("datetime | None", connection.execute(_NEXT_TRY, _given(run.job, run.period)).scalar())


def tell_again(connection: Connection, run: Run) -> None:
    """Whom the run could not tell, and how many it has told, have changed since it was proved."""
    known = of(connection, run.job, run.period)
    if known and known.result:
        told = {
            "parked": parked(connection, run.job, run.period),
            "notices": sent(connection, run.job, run.period),
        }
        row = {"job": run.job, "period": run.period, "result": known.result | told}
        set_values(connection, RunRow, [row])


def sent(connection: Connection, job: str, period: str) -> int:
    """How many mails and letters of the run have left."""
    return int(connection.execute(_SENT, _given(job, period)).scalar_one())


def untold(connection: Connection, job: str, period: str, limit: int) -> list[str]:
    """Contracts that the run has something to tell to and has not, though nothing was put off by their mailbox."""
    return list(connection.execute(_UNTOLD, _given(job, period) | {"the_most": limit}).scalars())


def _given(job: str, period: str) -> dict[str, Any]:
    """Which run it is, and between which keys all that it has to send lies."""
    key = delivery_prefix(job, period)
    return {"the_job": job, "the_period": period, "the_after": key, "the_until": f"{key}{END}"}

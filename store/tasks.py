"""What waits for operators."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select

from store.tables import TaskRow
from store.write import table

After = tuple[datetime, str]
_rows = table(TaskRow)


def waiting(
    connection: Connection, kind: str | None, contract_id: str | None, limit: int, after: After | None
) -> list[RowMapping]:
    """Open tasks, the longest waiting first, those after a place; one more than `limit` where there are more."""
    found = select(_rows).where(_rows.c.done_at.is_(None))
    if kind is not None:
        found = found.where(_rows.c.kind == kind)
    if contract_id is not None:
        found = found.where(_rows.c.contract_id == contract_id)
    if after:
        since, task_id = after
        found = found.where(
            or_(_rows.c.since > since, and_(_rows.c.since == since, _rows.c.task_id > task_id))
        )
    ordered = found.order_by(_rows.c.since, _rows.c.task_id).limit(limit + 1)
    return list(connection.execute(ordered).mappings())


def find(connection: Connection, task_id: str) -> RowMapping | None:
    return connection.execute(select(_rows).where(_rows.c.task_id == task_id)).mappings().first()


def of_contract(connection: Connection, contract_id: str) -> list[RowMapping]:
    """Every task of a contract, open and done."""
    found = select(_rows).where(_rows.c.contract_id == contract_id).order_by(_rows.c.since, _rows.c.task_id)
    return list(connection.execute(found).mappings())


def ahead(connection: Connection, contract_id: str, procedure_id: str) -> int | None:
    """How many tasks of the same kind have waited longer; None where none is open for the contract's procedure."""
    open_one = select(_rows).where(_of(contract_id, procedure_id), _rows.c.done_at.is_(None))
    mine = connection.execute(open_one).mappings().first()
    if mine is None:
        return None
    earlier = or_(
        _rows.c.since < mine["since"], and_(_rows.c.since == mine["since"], _rows.c.task_id < mine["task_id"])
    )
    same = and_(_rows.c.done_at.is_(None), _rows.c.kind == mine["kind"], earlier)
    return int(connection.execute(select(func.count()).where(same)).scalar_one())


def note(connection: Connection, contract_id: str, procedure_id: str) -> str | None:
    """What the operator wrote who turned the contract's procedure down."""
    found = select(_rows.c.note).where(_of(contract_id, procedure_id), _rows.c.note.is_not(None))
    return connection.execute(found.order_by(_rows.c.done_at.desc()).limit(1)).scalar_one_or_none()


def _of(contract_id: str, procedure_id: str) -> ColumnElement[bool]:
    """The index is of contracts."""
    return and_(_rows.c.contract_id == contract_id, _rows.c.procedure_id == procedure_id)

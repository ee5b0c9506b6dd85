"""What hangs on a line: customer ID, passport IDs, monthly items; and its end, all in the transaction of the transition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, literal, select, update

from rules.change import Change, Holdings, Item
from rules.points import Lot
from store import points
from store.tables import (
    AnswerRow,
    ApprovalNumberRow,
    ContractRow,
    DeletionRow,
    EntryRow,
    LineAccessRow,
    PartyRow,
    PassportIdRow,
    ProcedureRow,
    PurchaseRow,
)
from store.write import insert as insert_all
from store.write import table, unused

GONE = 410

_ids, _purchases, _access = table(PassportIdRow), table(PurchaseRow), table(LineAccessRow)
_numbers, _deletions, _answers = table(ApprovalNumberRow), table(DeletionRow), table(AnswerRow)
_parties, _procedures, _contracts = table(PartyRow), table(ProcedureRow), table(ContractRow)


def record(connection: Connection, change: Change) -> None:
    """What the transition does to passport IDs, monthly items and the address."""
    contract_id, at = (
        change.contract.contract_id,
        change.entries[0].at if change.entries else change.recorded_at,
    )
    if change.restricted:
        _restrict(connection, change.restricted, at)
    if change.lifted:
        connection.execute(update(_ids).where(_ids.c.passport_id.in_(change.lifted)).values(restricted=False))
    if change.moved:
        _move(connection, contract_id, change.moved)
    if change.wiped:
        wipe(connection, contract_id, at)
        _tell(connection, change, at)


def _restrict(connection: Connection, passport_ids: list[str], at: datetime) -> None:
    """No purchase and no settlement of a monthly item from this instant on (MAT-9)."""
    connection.execute(update(_ids).where(_ids.c.passport_id.in_(passport_ids)).values(restricted=True))
    end_items(connection, _purchases.c.passport_id.in_(passport_ids), at)


def _move(connection: Connection, contract_id: str, procedure_id: str) -> None:
    """The address that the procedure came with is the contract's from now on, and stands nowhere else."""
    mine = _procedures.c.procedure_id == procedure_id
    address = connection.execute(select(_procedures.c.body).where(mine)).scalar_one()
    party = select(_contracts.c.party_id).where(_contracts.c.contract_id == contract_id).scalar_subquery()
    connection.execute(update(_parties).where(_parties.c.party_id == party).values(**address))
    connection.execute(update(_procedures).where(mine).values(body={}))


def end_items(connection: Connection, which: Any, at: datetime) -> None:
    """Monthly items that have not ended yet are settled no more (MAT-8, MAT-9)."""
    living = which & (_purchases.c.kind == "monthly") & _purchases.c.ended_at.is_(None)
    connection.execute(update(_purchases).where(living).values(ended_at=at))


def wipe(connection: Connection, contract_id: str, at: datetime) -> None:
    """Delete every ID of the line for good; an audit row each remains. Points go with them (COL-4, COL-6, COL-7)."""
    mine = _ids.c.contract_id == contract_id
    kept = select(_ids.c.passport_id, _ids.c.contract_id, literal(at, _deletions.c.deleted_at.type)).where(
        mine
    )
    connection.execute(insert(_deletions).from_select(["passport_id", "contract_id", "deleted_at"], kept))
    connection.execute(delete(_ids).where(mine))
    # Bought while the end was being written down is bought before it, or it might be on no statement.
    late = (_purchases.c.contract_id == contract_id) & (_purchases.c.at > at)
    connection.execute(update(_purchases).where(late).values(at=at))
    end_items(connection, _purchases.c.contract_id == contract_id, at)
    points.forfeit(connection, contract_id, at)
    moves = (_procedures.c.contract_id == contract_id) & (_procedures.c.kind == "move")
    connection.execute(update(_procedures).where(moves).values(body={}))
    _forget(connection, _answers.c.contract_id == contract_id)


def _tell(connection: Connection, change: Change, at: datetime) -> None:
    """The timeline says what went with the line: that there was an ID, for each, and how many points."""
    contract_id, by = change.contract.contract_id, change.entries[0].by if change.entries else "calendar"
    then = (_deletions.c.contract_id == contract_id) & (_deletions.c.deleted_at == at)
    deleted = int(connection.execute(select(func.count()).where(then)).scalar_one())
    told: list[dict[str, Any]] = [{"what": "passport_id_deleted", "data": {}}] * deleted
    if lost := points.forfeited(connection, contract_id, at):
        told = [*told, {"what": "points_forfeited", "data": {"points": lost}}]
    when = {"contract_id": contract_id, "at": at, "recorded_at": change.recorded_at, "by": by}
    insert_all(connection, EntryRow, [when | one for one in told])


def forget(connection: Connection, contract_id: str, passport_id: str) -> None:
    """Remembered answers that name a deleted ID are gone with it: whatever names one names its opaque ID too (COL-7)."""
    naming = _answers.c.body.contains(passport_id, autoescape=True)
    _forget(connection, (_answers.c.contract_id == contract_id) & naming)


def _forget(connection: Connection, which: Any) -> None:
    remembered = which & _answers.c.status.is_not(None)
    connection.execute(update(_answers).where(remembered).values(status=GONE, headers={}, body=""))


def names_deleted(connection: Connection, contract_id: str, body: str) -> bool:
    """Whether an answer about the line names an ID that is deleted by now."""
    found = select(_deletions.c.passport_id).where(_deletions.c.contract_id == contract_id)
    return any(passport_id in body for passport_id in connection.execute(found).scalars())


def holdings(connection: Connection, contract_id: str, now: datetime) -> Holdings:
    """What hangs on the line at `now`, by opaque IDs, in a fixed order."""
    ids = select(_ids.c.passport_id).where(_ids.c.contract_id == contract_id).order_by(_ids.c.passport_id)
    living = (_purchases.c.contract_id == contract_id) & (_purchases.c.kind == "monthly")
    items = (
        select(_purchases.c.purchase_id, _purchases.c.passport_id, _purchases.c.cancellation_fee)
        .where(living & _purchases.c.ended_at.is_(None))
        .order_by(_purchases.c.purchase_id)
    )
    lots = points.lots(connection, contract_id, now)
    return Holdings(
        passport_ids=list(connection.execute(ids).scalars()),
        items=[Item(**row) for row in connection.execute(items).mappings()],
        points=sum(lot.left for lot in lots),
        points_until=_by_last_day(lots),
    )


def _by_last_day(lots: list[Lot]) -> dict[date, int]:
    """What is left in all of them by the last day on which it can be spent."""
    left = Counter[date]()
    for lot in lots:
        left[lot.lapses_on] += lot.left
    return dict(left)


def names(connection: Connection, contract_id: str) -> dict[str, dict[str, Any]]:
    """What may still be told of passport IDs and items, by their opaque IDs: name; item and provider."""
    ids = select(_ids.c.passport_id, _ids.c.name).where(_ids.c.contract_id == contract_id)
    items = select(_purchases.c.purchase_id, _purchases.c.item, _purchases.c.provider)
    bought = items.where((_purchases.c.contract_id == contract_id) & (_purchases.c.kind == "monthly"))
    found: dict[str, dict[str, Any]] = {
        row.passport_id: {"name": row.name} for row in connection.execute(ids)
    }
    for row in connection.execute(bought):
        found[row.purchase_id] = {"item": row.item, "provider": row.provider}
    return found


def access(connection: Connection, contract_id: str) -> str:
    """The line's customer ID."""
    found = select(_access.c.customer_id).where(_access.c.contract_id == contract_id)
    return str(connection.execute(found).scalar_one())


def by_customer_id(connection: Connection, customer_id: str) -> tuple[str, str, int] | None:
    """Account, contract, how many access keys were given out. Reading the whole contract would take time that tells."""
    issue = _contracts.c.snapshot["access_key_issue"].as_integer()
    found = (
        select(_contracts.c.account_id, _contracts.c.contract_id, issue)
        .join(_access, _access.c.contract_id == _contracts.c.contract_id)
        .where(_access.c.customer_id == customer_id)
    )
    row = connection.execute(found).first()
    return (row[0], row[1], row[2] or 0) if row else None


def unused_customer_id(connection: Connection, customer_ids: Iterable[str]) -> str:
    return unused(connection, _access.c.customer_id, customer_ids)


def unused_number(connection: Connection, numbers: Iterable[str]) -> str:
    """An approval number that stands for no other conversion."""
    return unused(connection, _numbers.c.number, numbers)


def approval_number(connection: Connection, procedure_id: str) -> str:
    found = select(_numbers.c.number).where(_numbers.c.procedure_id == procedure_id)
    return str(connection.execute(found).scalar_one())


def by_number(connection: Connection, number: str) -> RowMapping | None:
    """The conversion that an approval number stands for."""
    return connection.execute(select(_numbers).where(_numbers.c.number == number)).mappings().first()


def deleted(connection: Connection, contract_id: str, at: datetime) -> int:
    """How many passport IDs of the line were deleted at that instant."""
    then = (_deletions.c.contract_id == contract_id) & (_deletions.c.deleted_at == at)
    return int(connection.execute(select(func.count()).where(then)).scalar_one())

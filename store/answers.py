"""Remembered answers to requests with an Idempotency-Key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update

from store.lines import GONE, names_deleted
from store.tables import AnswerRow, ContractRow
from store.write import table, upsert

UNDONE = timedelta(days=1)
_rows, _contracts = table(AnswerRow), table(ContractRow)


@dataclass(frozen=True, slots=True)
class Claim:
    """`mine`: the caller is to do the request, which first came in `received_at`. Otherwise `row` is whose it is."""

    mine: bool
    row: RowMapping

    @property
    def received_at(self) -> datetime:
        at: datetime = self.row["received_at"]
        return at


def claim(
    connection: Connection,
    answer_key: str,
    body_hash: str,
    now: datetime,
    lease: timedelta,
    contract_id: str | None = None,
) -> Claim:
    """Take the key for this request, unless it is being done, or was done and is still remembered."""
    leased_until = now + lease
    new = {
        "body_hash": body_hash,
        "contract_id": contract_id,
        "received_at": now,
        "leased_until": leased_until,
    }
    mine = _rows.c.answer_key == answer_key
    taken = upsert(connection, AnswerRow, [{"answer_key": answer_key, **new}]) > 0
    free = mine & (_rows.c.leased_until < now)
    if not taken:
        # Left undone: the same request goes on as the one it was; another one is new, as it is once all is forgotten.
        again = free & _rows.c.status.is_(None) & (_rows.c.body_hash == body_hash)
        taken = connection.execute(update(_rows).where(again).values(leased_until=leased_until)).rowcount > 0
    if not taken:
        anew = update(_rows).where(free).values(**new, status=None, headers=None, body=None)
        taken = connection.execute(anew).rowcount > 0
    return Claim(taken, connection.execute(select(_rows).where(mine)).mappings().one())


def renew(connection: Connection, answer_key: str, received_at: datetime, until: datetime) -> None:
    """The request is still being done."""
    undone = _of(answer_key, received_at) & _rows.c.status.is_(None)
    connection.execute(update(_rows).where(undone).values(leased_until=until))


def _of(answer_key: str, received_at: datetime) -> ColumnElement[bool]:
    """The key as long as it stands for the request that came in then: another may have taken it since."""
    return (_rows.c.answer_key == answer_key) & (_rows.c.received_at == received_at)


def keep(
    connection: Connection,
    answer_key: str,
    received_at: datetime,
    status: int,
    headers: dict[str, Any],
    body: str,
    now: datetime,
    kept: timedelta,
) -> None:
    """Remember an answer for as long as `kept`; of what was deleted meanwhile, only that there was one (COL-7)."""
    values = {"status": status, "headers": headers, "body": body, "leased_until": now + kept}
    if _wiped(connection, answer_key, body):
        values |= {"status": GONE, "headers": {}, "body": ""}
    connection.execute(update(_rows).where(_of(answer_key, received_at)).values(**values))


def _wiped(connection: Connection, answer_key: str, body: str) -> bool:
    """Whether what the answer tells of is deleted. Holds the line's row, so that this cannot come after."""
    about = select(_rows.c.contract_id).where(_rows.c.answer_key == answer_key).scalar_subquery()
    line = (_contracts.c.contract_id == about) & (_contracts.c.product == "line")
    found = select(_contracts.c.contract_id, _contracts.c.state).where(line).with_for_update(read=True)
    row = connection.execute(found).first()
    return row is not None and (
        row.state in ("ended", "converted") or names_deleted(connection, row.contract_id, body)
    )


def leave(connection: Connection, answer_key: str, received_at: datetime, now: datetime) -> None:
    """The request was not done: the same key may try again."""
    undone = _of(answer_key, received_at) & _rows.c.status.is_(None)
    connection.execute(update(_rows).where(undone).values(leased_until=now - timedelta(microseconds=1)))


def sweep(connection: Connection, before: datetime) -> int:
    """Forget answers whose time was over before that, and keys that nothing came of. Returns how many."""
    return int(connection.execute(delete(_rows).where(_rows.c.leased_until < before)).rowcount)

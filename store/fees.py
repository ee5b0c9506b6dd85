"""What contracts cost a month and how they are paid, by dates: what bills are made of (BIL-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Date, bindparam, or_, update

from rules.change import Change, Fee, Paying
from store.ledger import FeeRow, PayingRow
from store.write import table, upsert

_rows = table(FeeRow)
_before = bindparam("before", type_=Date())
_END = update(_rows).where(
    _rows.c.contract_id == bindparam("contract"),
    _rows.c.part == bindparam("of"),
    _rows.c.first_day <= _before,
    or_(_rows.c.last_day.is_(None), _rows.c.last_day > _before),
)
_END = _END.values(last_day=_before)


def record(connection: Connection, change: Change) -> None:
    """What a transition says of fees and payment; nothing is asked of the database where it says nothing."""
    if change.fees:
        begin(connection, change.fees)
    if change.paying:
        pay(connection, change.paying)


def begin(connection: Connection, fees: list[Fee]) -> None:
    """Each fee counts from its first day; what was to be paid for the same part ends on the day before (LIN-6)."""
    connection.execute(_END, [_ending(fee) for fee in fees])
    begun = [fee.model_dump() | {"last_day": None} for fee in fees if fee.item is not None]
    if begun:
        upsert(connection, FeeRow, begun, change=("last_day", "item", "amount"))


def _ending(fee: Fee) -> dict[str, Any]:
    return {"contract": fee.contract_id, "of": fee.part, "before": fee.first_day - timedelta(days=1)}


def pay(connection: Connection, paying: list[Paying]) -> None:
    """How contracts are paid from instants on."""
    upsert(connection, PayingRow, [one.model_dump() for one in paying], change=("method", "payment_id"))

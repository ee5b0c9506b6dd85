"""What was told to which provider about purchases that stayed unpaid (MAT-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, literal, select, tuple_

from store.ledger import CreditRow, DisclosureRow, StatementLineRow, StatementRow
from store.tables import EntryRow
from store.write import insert, table, upsert

Place = tuple[datetime, str]
SOURCE = "purchase-"
_rows, _lines, _credits = table(DisclosureRow), table(StatementLineRow), table(CreditRow)
_statements = table(StatementRow)


def record(
    connection: Connection, contract_id: str, period: str, at: datetime, recorded_at: datetime
) -> None:
    """Each purchase on the statement that is not covered by what was paid goes to its provider, and on the timeline.

    What was paid counts for purchases first, the oldest first: no more is told than has to be.
    """
    covered, told = _covered(connection, contract_id, period), []
    for line in _purchases(connection, contract_id, period):
        unpaid = line["amount"] - min(covered, line["amount"])
        covered -= line["amount"] - unpaid
        if unpaid:
            told.append(_row(line, contract_id, period, unpaid, at))
    if told:
        upsert(connection, DisclosureRow, told)
        insert(connection, EntryRow, [_entry(row, recorded_at) for row in told])


def _covered(connection: Connection, contract_id: str, period: str) -> int:
    """Yen that came in for the statement, points included."""
    paid = select(func.coalesce(func.sum(_credits.c.amount), 0)).where(
        _credits.c.contract_id == contract_id, _credits.c.period == period, _credits.c.kind != "over"
    )
    points = select(func.coalesce(func.sum(_statements.c.points_used), 0)).where(
        _statements.c.contract_id == contract_id, _statements.c.period == period
    )
    found = select(paid.scalar_subquery() + points.scalar_subquery())
    return int(connection.execute(found).scalar_one())


def _purchases(connection: Connection, contract_id: str, period: str) -> list[RowMapping]:
    mine = (_lines.c.contract_id == contract_id) & (_lines.c.period == period) & (_lines.c.kind == "purchase")
    found = select(_lines).where(mine).order_by(_lines.c.at, _lines.c.source)
    return list(connection.execute(found).mappings())


def _row(line: RowMapping, contract_id: str, period: str, amount: int, at: datetime) -> dict[str, Any]:
    return {
        "purchase_id": line["source"].removeprefix(SOURCE),
        "period": period,
        "contract_id": contract_id,
        "provider": line["provider"],
        "amount": amount,
        "at": at,
    }


def _entry(row: dict[str, Any], recorded_at: datetime) -> dict[str, Any]:
    data = {"month": f"{row['period']}-01", "provider": row["provider"], "amount": row["amount"]}
    return {
        "contract_id": row["contract_id"],
        "procedure_id": None,
        "at": row["at"],
        "recorded_at": recorded_at,
        "what": "purchases_disclosed",
        "by": "calendar",
        "event": None,
        "old": None,
        "new": None,
        "data": data,
    }


def of_contract(
    connection: Connection, contract_id: str | None, limit: int, after: Place | None
) -> list[RowMapping]:
    """Disclosures of one contract or all, the oldest first, those after a place; one more than `limit` where there are more."""
    ordered = (_rows.c.at, _rows.c.purchase_id, _rows.c.period)
    found = select(_rows).order_by(*ordered).limit(limit + 1)
    if contract_id is not None:
        found = found.where(_rows.c.contract_id == contract_id)
    if after:
        purchase_id, _, period = after[1].partition(" ")
        found = found.where(
            tuple_(*ordered) > tuple_(literal(after[0], _rows.c.at.type), purchase_id, period)
        )
    return list(connection.execute(found).mappings())


def place(row: RowMapping) -> Place:
    """Where a disclosure stands among them."""
    return row["at"], f"{row['purchase_id']} {row['period']}"

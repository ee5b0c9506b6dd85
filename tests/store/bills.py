"""Month ends for contracts that lived by the calendar, and the statements that they leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from store import statements
from store.ledger import StatementLineRow, StatementRow
from store.tables import ChargeRow, DeliveryRow, PurchaseRow
from store.write import insert, table
from tests.rules.cases import POLICY, at

ALL = ("", "~")
_rows, _lines = table(StatementRow), table(StatementLineRow)


def close(engine: Engine, *periods: str, between: tuple[str, str] = ALL) -> list[int]:
    """The month end of each period, in one chunk; how many contracts each dealt with."""
    found = []
    for period in periods:
        with engine.begin() as connection:
            found.append(statements.chunk(connection, period, *between, POLICY))
    return found


def bill(engine: Engine, period: str, contract_id: str = "k-1") -> dict[str, Any]:
    """The statement's row."""
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period)
    with engine.begin() as connection:
        return dict(connection.execute(select(_rows).where(mine)).mappings().one())


def billed(engine: Engine, contract_id: str = "k-1") -> list[str]:
    """The months that have a statement."""
    found = select(_rows.c.period).where(_rows.c.contract_id == contract_id).order_by(_rows.c.period)
    with engine.begin() as connection:
        return list(connection.execute(found).scalars())


def lines(engine: Engine, period: str, contract_id: str = "k-1") -> list[tuple[str, str, str, int]]:
    """Kind, item, on which day, how much."""
    mine = (_lines.c.contract_id == contract_id) & (_lines.c.period == period)
    found = select(_lines).where(mine).order_by(_lines.c.at, _lines.c.source)
    with engine.begin() as connection:
        return [
            (row["kind"], row["item"], f"{row['at']:%Y-%m-%d}", row["amount"])
            for row in connection.execute(found).mappings()
        ]


def sums(engine: Engine, period: str, contract_id: str = "k-1") -> tuple[int, ...]:
    """Taxable, tax, tax included, untaxed, total."""
    found = bill(engine, period, contract_id)
    return tuple(found[name] for name in ("standard", "tax", "included", "untaxed", "total_with_tax"))


def bought(engine: Engine, when: str, amount: int, kind: str = "one_off", **more: Any) -> None:
    """A purchase with an ID of contract k-1."""
    with engine.begin() as connection:
        count = len(connection.execute(select(table(PurchaseRow).c.purchase_id)).all())
        row = {
            "purchase_id": f"u-{count + 1}",
            "contract_id": "k-1",
            "passport_id": "i-1",
            "at": at(when),
            "provider": "Eiga Channel",
            "item": f"Film {count + 1}",
            "kind": kind,
            "amount": amount,
            "cancellation_fee": 0,
            "ended_at": None,
        }
        insert(connection, PurchaseRow, [row | more])


def charged(engine: Engine, on_day: Any, amount: int, kind: str = "fee", contract_id: str = "k-1") -> None:
    """A charge that was written down after all else."""
    with engine.begin() as connection:
        row = {"charge_id": f"{contract_id}-late-{on_day}", "contract_id": contract_id, "on_day": on_day}
        insert(connection, ChargeRow, [row | {"kind": kind, "item": "plan_change", "amount": amount}])


def notices(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    """Every notice of the runs: ID, when, what it says."""
    rows = table(DeliveryRow)
    found = select(rows).where(rows.c.delivery_id.startswith("r-")).order_by(rows.c.delivery_id)
    with engine.begin() as connection:
        return [
            (row["delivery_id"], f"{row['at']:%Y-%m-%d %H:%M}", row["data"])
            for row in connection.execute(found).mappings()
        ]


def left(engine: Engine, period: str) -> list[str]:
    with engine.begin() as connection:
        return statements.left(connection, period, POLICY, 10)


def expected(engine: Engine, period: str) -> int:
    with engine.begin() as connection:
        return statements.expected(connection, period, POLICY)

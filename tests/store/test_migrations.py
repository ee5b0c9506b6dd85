"""Migrations lead to exactly the tables that the code speaks of, on both databases, however often they are applied."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from alembic import command
from sqlalchemy import Column, Insert, MetaData, Table, insert, inspect, select
from sqlmodel import SQLModel

from store.database import connect
from store.ledger import PointRow, StatementRow
from store.migrate import _config, differences, upgrade
from store.tables import BILLING_DIGITS, ContractRow
from store.write import table
from tests.rules.cases import at


def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    upgrade(url)
    engine = connect(url)
    with engine.begin() as connection:
        differences(connection)
        there = set(inspect(connection).get_table_names())
    engine.dispose()
    assert there == {*SQLModel.metadata.tables, "alembic_version"}


def test_several_processes_may_migrate_at_once_and_again(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(upgrade, url) for _ in range(8)]:
            done.result()
    engine = connect(url)
    with engine.begin() as connection:
        differences(connection)
    engine.dispose()


def test_lines_that_are_there_keep_their_discount_and_get_a_billing_number(url: str) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0002")
        for contract_id, snapshot in (("k-1", {"two_year_discount": True}), ("k-2", {})):
            connection.execute(_before_money(), _line(contract_id, snapshot))
    upgrade(url)
    with engine.begin() as connection:
        rows = connection.execute(select(table(ContractRow)).order_by("contract_id")).mappings().all()
    engine.dispose()
    assert [row["two_year_discount"] for row in rows] == [True, False]
    assert all(len(row["billing_number"]) == BILLING_DIGITS for row in rows)


def test_statements_and_points_outlive_a_change_of_their_indexes(url: str) -> None:
    sums: dict[str, Any] = dict.fromkeys(
        ("standard", "included", "untaxed", "tax", "points_used", "total_with_tax"), 0
    )
    bill = sums | {
        "contract_id": "k-1",
        "billing_number": "1",
        "invoice": "line",
        "payment_method": "invoice",
    }
    bill |= {"payment_id": "pay-1", "due_on": date(2026, 2, 28), "policy": ""}
    bills = [bill | {"period": period} for period in ("2026-01", "2026-02")]
    lot: dict[str, Any] = {
        "granted_on": date(2026, 1, 1),
        "contract_id": "k-1",
        "what": "grant",
        "ref": "",
        "points": 100,
    }
    lot |= {"lapses_on": date(2028, 3, 31), "at": at("2026-01-01 03:00:00")}
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0004")
        connection.execute(insert(table(StatementRow)), bills)
        connection.execute(insert(table(PointRow)), [lot])
        command.upgrade(_config(connection), "head")
        assert connection.execute(select(table(StatementRow).c.period)).scalars().all() == [
            "2026-01",
            "2026-02",
        ]
        assert dict(connection.execute(select(table(PointRow))).mappings().one()) == lot
        command.downgrade(_config(connection), "0004")
        assert len(connection.execute(select(table(StatementRow))).all()) == 2
    engine.dispose()


def _before_money() -> Insert:
    """Into the table of contracts, of what it had then."""
    known = table(ContractRow)
    return insert(
        Table("contract", MetaData(), *(Column(name, known.c[name].type) for name in _line("", {})))
    )


def _line(contract_id: str, snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        "contract_id": contract_id,
        "account_id": "a-1",
        "party_id": "y-1",
        "product": "line",
        "state": "active",
        "payment_method": "invoice",
        "payment_id": "pay-1",
        "applied_at": at("2026-03-20 10:00:00"),
        "number": 1,
        "snapshot": snapshot,
    }

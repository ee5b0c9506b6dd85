"""Bills in the store: what is owed, what a payment pays, blocks and disclosures, each written once on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from store import bills, contracts, disclosures, people
from store.ledger import CreditRow, DisclosureRow, StatementLineRow, StatementRow
from store.write import insert, table
from tests.rules.cases import at
from tests.store.test_record import APPLICATION, write
from tests.workflows.life import Life, line_in_force


def statement(engine: Engine, period: str, due_on: str, total: int = 5000, **more: Any) -> None:
    row = {
        "contract_id": "k-1",
        "period": period,
        "billing_number": f"000000000000{period[2:4]}{period[5:]}",
        "invoice": "line",
        "payment_method": "invoice",
        "payment_id": "pay-1",
        "standard": total,
        "included": 0,
        "untaxed": 0,
        "tax": 0,
        "points_used": 0,
        "total_with_tax": total,
        "due_on": date.fromisoformat(due_on),
        "policy": "",
        "paid_on": None,
        "collected_at": None,
    }
    with engine.begin() as connection:
        insert(connection, StatementRow, [row | more])


def bought(engine: Engine, *purchases: tuple[str, str, int]) -> None:
    """Purchases on the statement of June: ID, provider, yen."""
    rows = [
        {
            "contract_id": "k-1",
            "period": "2026-06",
            "source": f"{disclosures.SOURCE}{purchase_id}",
            "kind": "purchase",
            "item": "Film",
            "provider": provider,
            "amount": amount,
            "tax_class": "included",
            "at": at(f"2026-06-{day:02} 12:00:00"),
        }
        for day, (purchase_id, provider, amount) in enumerate(purchases, 1)
    ]
    with engine.begin() as connection:
        insert(connection, StatementLineRow, rows)


@pytest.fixture
def life(engine: Engine) -> Life:
    """A line in force, in the store as well."""
    lived = line_in_force()
    lived.changes[0].command_id = "c1"
    with engine.begin() as connection:
        people.take_in(connection, "c1", APPLICATION)
    return lived


def written(engine: Engine, life: Life) -> None:
    """Everything that the life decided, told twice."""
    for _ in range(2):
        write(engine, *life.changes)


def rows(engine: Engine, row: Any, *columns: str) -> list[tuple[Any, ...]]:
    found = table(row)
    with engine.begin() as connection:
        return [tuple(one) for one in connection.execute(select(*(found.c[name] for name in columns)))]


@pytest.mark.rule("BIL-3")
def test_a_payment_and_what_it_pays_off_are_one_transaction_told_twice_written_once(
    engine: Engine, life: Life
) -> None:
    statement(engine, "2026-06", "2026-07-31")
    statement(engine, "2026-07", "2026-08-31", 1000)
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    life.unpaid("2026-08-25 06:00:00", "2026-07", "2026-08-31", 1000)
    life.pay("2026-08-26 09:00:00", "2026-07", 3000, paid="2026-08-24 18:00:00")
    written(engine, life)
    assert sorted(rows(engine, CreditRow, "period", "kind", "amount", "at")) == [
        ("2026-06", "payment", 2000, at("2026-08-24 18:00:00")),
        ("2026-07", "payment", 1000, at("2026-08-24 18:00:00")),
    ]
    assert sorted(rows(engine, StatementRow, "period", "paid_on", "collected_at")) == [
        ("2026-06", None, at("2026-07-25 06:00:00")),
        ("2026-07", date(2026, 8, 24), at("2026-08-25 06:00:00")),
    ]
    with engine.begin() as connection:
        contract, found = bills.standing(connection, "k-1")
        assert contract == contracts.snapshot(connection, "k-1")
    assert [(bill.period, bill.left) for bill in found] == [("2026-06", 3000)]


@pytest.mark.rule("BIL-3")
def test_what_is_over_counts_for_no_bill(engine: Engine, life: Life) -> None:
    statement(engine, "2026-06", "2026-07-31")
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    life.pay("2026-08-26 09:00:00", "2026-06", 5200)
    written(engine, life)
    command = life.changes[-1].money.credits[0].credit_id[:-2] if life.changes[-1].money else ""
    with engine.begin() as connection:
        told = [
            (row["kind"], row["amount"], row["paid_on"])
            for row in bills.paid_with(connection, "k-1", command)
        ]
        assert bills.standing(connection, "k-1")[1] == []
    assert told == [("payment", 5000, date(2026, 8, 26)), ("over", 200, date(2026, 8, 26))]


@pytest.mark.rule("BIL-3")
def test_a_bill_is_paid_on_the_day_of_the_latest_payment_that_it_needed_however_they_were_booked(
    engine: Engine, life: Life
) -> None:
    statement(engine, "2026-06", "2026-07-31", 5720)
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31", 5720)
    life.pay("2026-07-29 09:00:00", "2026-06", 3000, paid="2026-07-28 12:00:00")
    life.pay("2026-07-29 09:00:01", "2026-06", 2720, paid="2026-07-26 12:00:00")
    life.pay("2026-07-30 09:00:00", "2026-06", 500, paid="2026-07-30 08:00:00")
    written(engine, life)
    assert rows(engine, StatementRow, "paid_on") == [(date(2026, 7, 28),)]


@pytest.mark.rule("BIL-3")
def test_the_block_stands_with_its_dates(engine: Engine, life: Life) -> None:
    statement(engine, "2026-06", "2026-07-31")
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    life.wait("2026-09-15 00:00:01")
    written(engine, life)
    with engine.begin() as connection:
        assert bills.blocked(connection, "k-1") == [(at("2026-09-15 00:00:00"), None)]
    life.pay("2026-09-20 10:00:00", "2026-06", 5000)
    written(engine, life)
    with engine.begin() as connection:
        assert bills.blocked(connection, "k-1") == [(at("2026-09-15 00:00:00"), at("2026-09-20 10:00:00"))]


@pytest.mark.rule("MAT-12")
@pytest.mark.parametrize(
    ("paid", "told"),
    [
        (0, [("u-1", "Eiga", 300), ("u-2", "Eiga", 200), ("u-3", "Ongaku", 100)]),
        (400, [("u-2", "Eiga", 100), ("u-3", "Ongaku", 100)]),
        (600, []),
    ],
)
def test_purchases_that_are_unpaid_after_sixty_days_are_recorded_once_and_seen_by_the_customer(
    engine: Engine, life: Life, paid: int, told: list[tuple[str, str, int]]
) -> None:
    statement(engine, "2026-06", "2026-07-31")
    bought(engine, ("u-1", "Eiga", 300), ("u-2", "Eiga", 200), ("u-3", "Ongaku", 100))
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    if paid:
        life.pay("2026-08-02 09:00:00", "2026-06", paid)
    life.wait("2026-10-01 00:00:00")
    written(engine, life)
    assert rows(engine, DisclosureRow, "purchase_id", "provider", "amount") == told
    with engine.begin() as connection:
        seen = [e for e in contracts.timeline(connection, "k-1") if e["what"] == "purchases_disclosed"]
        first = disclosures.of_contract(connection, "k-1", 50, None)
        assert len(first) == len(told)
        for n, one in enumerate(first, 1):
            assert disclosures.of_contract(connection, None, 50, disclosures.place(one)) == first[n:]
        assert disclosures.of_contract(connection, "k-2", 50, None) == []
    assert [(e["data"]["provider"], e["data"]["amount"]) for e in seen] == [one[1:] for one in told]
    assert {e["at"] for e in seen} <= {at("2026-09-29 00:00:00")}


@pytest.mark.rule("MAT-12")
def test_nothing_is_disclosed_of_a_bill_that_was_paid(engine: Engine, life: Life) -> None:
    statement(engine, "2026-06", "2026-07-31")
    bought(engine, ("u-1", "Eiga", 300))
    life.unpaid("2026-07-25 06:00:00", "2026-06", "2026-07-31")
    life.pay("2026-09-28 23:59:59", "2026-06", 5000)
    life.wait("2026-12-01 00:00:00")
    written(engine, life)
    assert rows(engine, DisclosureRow, "purchase_id") == []

"""Whatever is bought, charged and ended: what SQL writes is what the rules say, and every charge is billed once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Engine, select

from rules import jobs, statement
from rules.calendar import midnight
from rules.statement import Sums
from store.changes import facts
from store.database import connect
from store.ledger import FeeRow, StatementLineRow
from store.migrate import upgrade
from store.tables import ChargeRow, ContractRow, PurchaseRow
from store.write import insert, table
from tests.rules.cases import POLICY
from tests.rules.lines import line
from tests.store.bills import bill, billed, close, left

MONTHS = [f"2026-0{number}" for number in range(1, 7)]
DAYS = some.dates(date(2026, 1, 1), date(2026, 6, 30))
INSTANTS = some.tuples(DAYS, some.integers(0, 86399)).map(
    lambda drawn: midnight(drawn[0]) + timedelta(seconds=drawn[1])
)
EDGES = some.sampled_from([midnight(date(2026, month, 1)) for month in range(1, 7)])


@dataclass(frozen=True)
class Bought:
    at: datetime
    kind: str
    amount: int
    ended_at: datetime | None

    def on(self, period: str, first: date, last: date | None) -> bool:
        """Whether it stands on the statement of that month, of a line in force between those days."""
        begins_at, ends_at = midnight(jobs.first_day(period)), midnight(jobs.following(period))
        if begins_at <= self.at < ends_at:
            return True
        day = jobs.first_day(period)
        in_force = first <= day and (last is None or last >= day)
        living = self.ended_at is None or self.ended_at >= begins_at
        return self.kind == "monthly" and self.at < begins_at and living and in_force


@dataclass(frozen=True)
class Charged:
    on: date
    kind: str
    amount: int
    told: int
    """Before the month end of which of the months it was written down."""


moments = some.one_of(INSTANTS, EDGES)
purchases = some.builds(
    Bought,
    at=moments,
    kind=some.sampled_from(["one_off", "monthly"]),
    amount=some.integers(1, 9999),
    ended_at=some.none() | moments,
).filter(lambda one: one.ended_at is None or one.ended_at >= one.at)
charges = some.builds(
    Charged,
    on=DAYS,
    kind=some.sampled_from(["fee", "device", "correction", "deposit"]),
    amount=some.integers(-30000, 30000),
    told=some.integers(0, 5),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("statements") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("BIL-9")
@given(
    first=DAYS,
    lasts=some.none() | some.integers(0, 150),
    fee=some.integers(0, 9999),
    bought=some.lists(purchases, max_size=5),
    charged=some.lists(charges, max_size=6),
)
@settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_sql_and_rules_agree(
    template: Path, first: date, lasts: int | None, fee: int, bought: list[Bought], charged: list[Charged]
) -> None:
    last = None if lasts is None else first + timedelta(days=lasts)
    file = template.with_name(f"{uuid4().hex}.db")
    shutil.copy(template, file)
    engine = connect(f"sqlite:///{file}")
    begin(engine, first, last, fee, bought)
    open_charges: list[Charged] = []
    for number, period in enumerate(MONTHS):
        new = [one for one in charged if one.told == number]
        tell(engine, number, new)
        open_charges += new
        due = [one for one in open_charges if one.on < jobs.following(period)]
        open_charges = [one for one in open_charges if one not in due]
        close(engine, period)
        close(engine, period)
        in_force = first < jobs.following(period) and (last is None or last >= jobs.first_day(period))
        assert (period in billed(engine)) == bool(in_force or due)
        if in_force or due:
            wanted = sums(fee if in_force else 0, [b for b in bought if b.on(period, first, last)], due)
            check(engine, period, wanted)
        assert left(engine, period) == []
    assert charges_billed(engine) == len(charged) - len(open_charges)
    engine.dispose()
    file.unlink()


def begin(engine: Engine, first: date, last: date | None, fee: int, bought: list[Bought]) -> None:
    contract = line(in_force_from=first, in_force_to=last)
    row = facts(contract) | {"account_id": "a-1", "party_id": "y-1"}
    paid: dict[str, Any] = {"contract_id": "k-1", "part": "base", "item": "next", "amount": fee}
    rows = [
        {
            "purchase_id": f"u-{number}",
            "contract_id": "k-1",
            "passport_id": "i-1",
            "provider": "Eiga",
            "item": "Film",
            "cancellation_fee": 0,
            **vars(one),
        }
        for number, one in enumerate(bought)
    ]
    with engine.begin() as connection:
        insert(connection, ContractRow, [row])
        insert(connection, FeeRow, [paid | {"first_day": first, "last_day": None}])
        insert(connection, PurchaseRow, rows)


def tell(engine: Engine, number: int, new: list[Charged]) -> None:
    rows = [
        {
            "charge_id": f"c-{number}-{place}",
            "contract_id": "k-1",
            "on_day": one.on,
            "kind": one.kind,
            "item": "device",
            "amount": one.amount,
        }
        for place, one in enumerate(new)
    ]
    with engine.begin() as connection:
        insert(connection, ChargeRow, rows)


def sums(fee: int, bought: list[Bought], due: list[Charged]) -> Sums:
    classes = [("standard", fee), *(("included", one.amount) for one in bought)]
    classes += [(statement.tax_class(one.kind), one.amount) for one in due]
    of = {
        name: sum(amount for found, amount in classes if found == name)
        for name in ("standard", "included", "none")
    }
    return Sums(standard=of["standard"], included=of["included"], untaxed=of["none"])


def check(engine: Engine, period: str, wanted: Sums) -> None:
    found = bill(engine, period)
    assert Sums(found["standard"], found["included"], found["untaxed"]) == wanted
    assert found["tax"] == statement.tax(wanted.standard, POLICY)
    total = statement.total(wanted, 0, POLICY)
    assert found["total_with_tax"] == total
    assert found["paid_on"] == (jobs.following(period) if total <= 0 else None)
    assert found["due_on"] == statement.due_on(period, POLICY)
    assert found["billing_number"][14:] == statement.number_of_month(period)
    assert found["invoice"] == statement.invoice(found["payment_method"], wanted.included)


def charges_billed(engine: Engine) -> int:
    rows = table(StatementLineRow)
    with engine.begin() as connection:
        found = select(rows.c.source).where(rows.c.source.startswith("charge-"))
        return len(connection.execute(found).all())

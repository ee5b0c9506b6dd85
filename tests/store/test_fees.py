"""What a contract costs a month and how it is paid, as rows with dates, written as it lives and for those that lived before."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, delete, select

from store import migrate
from store.database import connect
from store.ledger import FeeRow, PayingRow
from store.migrate import upgrade
from store.write import table
from tests.rules.cases import CARD, STANDARD
from tests.store.lives import written
from tests.workflows.life import Life, in_force, line_in_force


def fees(engine: Engine, contract_id: str = "k-1") -> list[tuple[Any, ...]]:
    """Part, item, yen, first day, last day."""
    rows = table(FeeRow)
    found = select(rows.c.part, rows.c.item, rows.c.amount, rows.c.first_day, rows.c.last_day)
    ordered = found.where(rows.c.contract_id == contract_id).order_by(rows.c.part, rows.c.first_day)
    with engine.begin() as connection:
        return [
            (part, item, amount, str(first), last and str(last))
            for part, item, amount, first, last in connection.execute(ordered)
        ]


def paying(engine: Engine, contract_id: str = "k-1") -> list[tuple[Any, ...]]:
    rows = table(PayingRow)
    found = select(rows.c.from_at, rows.c.method, rows.c.payment_id)
    with engine.begin() as connection:
        ordered = found.where(rows.c.contract_id == contract_id).order_by(rows.c.from_at)
        return [
            (f"{at:%Y-%m-%d %H:%M}", method, payment) for at, method, payment in connection.execute(ordered)
        ]


@pytest.mark.rule("LIN-6")
def test_a_rental_costs_its_plan_from_its_first_day_on(engine: Engine) -> None:
    written(engine, in_force("2026-04-20 09:00:00"))
    assert fees(engine) == [("base", "wifi-50", 2800, "2026-04-20", None)]


@pytest.mark.rule("RNT-2")
def test_months_paid_ahead_bear_no_monthly_fee(engine: Engine) -> None:
    written(engine, in_force("2026-09-30 09:00:00", course="omatome"))
    assert fees(engine) == [("base", "wifi-50", 2800, "2027-03-01", None)]


@pytest.mark.rule("RNT-2")
def test_a_deposit_takes_no_month_off(engine: Engine) -> None:
    written(engine, in_force(course="depocomi"))
    assert fees(engine) == [("base", "wifi-50", 2800, "2026-04-01", None)]


@pytest.mark.rule("RNT-11")
def test_a_support_option_costs_from_its_first_day_to_the_end_of_the_month_of_its_change(
    engine: Engine,
) -> None:
    life = in_force(support_option="support")
    life.ask("2026-06-10 12:00:00", "support_option", {"option": "support_premium"})
    written(engine, life)
    assert fees(engine) == [
        ("base", "wifi-50", 2800, "2026-04-01", None),
        ("option", "support", 400, "2026-04-01", "2026-06-30"),
        ("option", "support_premium", 700, "2026-07-01", None),
    ]


@pytest.mark.rule("RNT-11")
def test_a_removed_support_option_costs_nothing_from_the_next_month_on(engine: Engine) -> None:
    life = in_force(support_option="support")
    life.ask("2028-02-10 12:00:00", "support_option", {"option": None})
    written(engine, life)
    assert fees(engine)[1:] == [("option", "support", 400, "2026-04-01", "2028-02-29")]


@pytest.mark.rule("LIN-3")
@pytest.mark.rule("LIN-6")
def test_another_type_of_line_costs_its_own_fee_from_the_next_month_on(engine: Engine) -> None:
    life = line_in_force()
    for day, line_type in (("10", "cross"), ("20", "light")):
        life.ask(f"2026-06-{day} 12:00:00", "line_type_change", {"line_type": line_type})
        life.act(f"2026-06-{day} 15:00:00", "report_opening")
    written(engine, life)
    assert fees(engine) == [
        ("base", "next", 5200, "2026-04-01", "2026-06-30"),
        ("base", "light", 3900, "2026-07-01", None),
    ]


@pytest.mark.rule("RNT-15")
def test_how_a_contract_is_paid_is_known_for_every_instant(engine: Engine) -> None:
    life = in_force(payment_method="atone")
    life.ask("2026-06-30 23:59:50", "payment_method", CARD)
    life.outside("2026-07-01 00:00:10", "register_card", "card_taken")
    written(engine, life)
    assert paying(engine) == [
        ("2026-03-20 10:00", "atone", "pay-1"),
        ("2026-07-01 00:00", "credit_card", "pay-2"),
    ]


@pytest.mark.rule("RNT-4")
def test_the_successor_is_paid_as_the_old_contract_and_costs_from_its_1st(engine: Engine) -> None:
    old = in_force(support_option="support")
    old.ask("2026-06-10 12:00:00", "plan_change", STANDARD)
    new = old.successor()
    new.wait("2026-07-01 00:00:00")
    written(engine, old, new)
    new_id = new.contract.contract_id
    assert paying(engine, new_id) == [("2026-06-10 12:00", "credit_card", "pay-1")]
    assert fees(engine, new_id) == [("base", "wifi-100", 3500, "2026-07-01", None)]


def test_a_transition_that_says_nothing_of_fees_asks_the_database_for_nothing() -> None:
    life = in_force()
    before = len(life.changes)
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.wait("2026-07-25 00:00:00")
    assert [change.fees or change.paying for change in life.changes[before:]] == [[]] * len(
        life.changes[before:]
    )


def lived() -> list[Life]:
    changing = in_force(support_option="support", course="omatome")
    changing.ask("2026-06-10 12:00:00", "support_option", {"option": "support_sim"})
    without = in_force(support_option="support", contract_id="k-2")
    without.ask("2026-06-10 12:00:00", "support_option", {"option": None})
    return [changing, without, line_in_force(contract_id="k-3")]


def test_contracts_that_were_there_before_get_the_rows_that_living_on_would_have_brought(url: str) -> None:
    upgrade(url)
    engine = connect(url)
    written(engine, *lived())
    before = {one: (fees(engine, one), paying(engine, one)) for one in ("k-1", "k-2", "k-3")}
    assert all(all(rows) for rows in before.values())
    with engine.begin() as connection:
        connection.execute(delete(table(FeeRow)))
        command.downgrade(migrate._config(connection), "0002")
    upgrade(url)
    assert {one: (fees(engine, one), paying(engine, one)) for one in before} == before
    engine.dispose()

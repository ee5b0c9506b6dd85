"""The settlement's set-based part on both databases: what is settled, what is left, and that repeating it does nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from store import bills, contracts, settlement
from store.database import in_transaction
from store.ledger import AskedRow, CreditRow, PayingRow, StatementRow
from store.settlement import Owed
from store.tables import PaymentRow
from store.write import insert, table
from tests.rules.cases import POLICY, at

FIRST, LAST = "", "~"
NOW = at("2026-07-26 12:00:00")


def owed(engine: Engine, contract_id: str, method: str, total: int = 5000, **more: Any) -> None:
    """A statement of June."""
    row = {
        "contract_id": contract_id,
        "period": "2026-06",
        "billing_number": f"{contract_id}2606",
        "invoice": "line",
        "payment_method": method,
        "payment_id": f"pay-{contract_id}",
        "standard": total,
        "included": 0,
        "untaxed": 0,
        "tax": 0,
        "points_used": 0,
        "total_with_tax": total,
        "due_on": date(2026, 7, 31),
        "policy": "",
        "paid_on": None,
        "collected_at": None,
    }
    with engine.begin() as connection:
        insert(connection, StatementRow, [row | more])


def card(engine: Engine, payment_id: str, reference: str | None, given: str = "", of: str = "") -> None:
    """A card, and from when on the contract is paid by it."""
    row = {"payment_id": payment_id, "contract_id": of, "method": "credit_card", "reference": reference}
    with engine.begin() as connection:
        insert(connection, PaymentRow, [row])
        if given:
            paying = {"contract_id": of, "from_at": at(given), "method": "credit_card"}
            insert(connection, PayingRow, [paying | {"payment_id": payment_id}])


def credit(engine: Engine, contract_id: str, amount: int, when: str, kind: str = "payment") -> None:
    row = {"credit_id": f"c-{contract_id}-{when}", "contract_id": contract_id, "period": "2026-06"}
    with engine.begin() as connection:
        insert(connection, CreditRow, [row | {"kind": kind, "amount": amount, "at": at(when)}])


def run(engine: Engine, after: str = FIRST, until: str = LAST) -> int:
    with engine.begin() as connection:
        return settlement.chunk(connection, "2026-06", after, until, POLICY)


def left(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return settlement.left(connection, "2026-06", POLICY, 50)


def paid(engine: Engine) -> dict[str, date | None]:
    rows = table(StatementRow)
    with engine.begin() as connection:
        found = connection.execute(select(rows.c.contract_id, rows.c.paid_on).order_by(rows.c.contract_id))
        return {row.contract_id: row.paid_on for row in found}


def credits(engine: Engine) -> list[tuple[Any, ...]]:
    rows = table(CreditRow)
    with engine.begin() as connection:
        columns = (rows.c.contract_id, rows.c.kind, rows.c.amount, rows.c.at)
        return sorted(tuple(row) for row in connection.execute(select(*columns)))


def test_each_that_has_something_to_pay_is_counted_once_as_settled_or_as_one_to_be_asked_of(
    engine: Engine,
) -> None:
    """Also on a run done again: by transfer, paid before, by card and declined, by card whose answer got lost."""
    owed(engine, "k-1", "account_transfer")
    owed(engine, "k-2", "invoice", paid_on=date(2026, 7, 20))
    owed(engine, "k-3", "credit_card")
    owed(engine, "k-4", "credit_card", paid_on=date(2026, 7, 20))
    owed(engine, "k-5", "invoice", 0)
    with engine.begin() as connection:
        asked = {"period": "2026-06", "reference": "card", "amount": 5000}
        insert(connection, AskedRow, [asked | {"contract_id": "k-4", "answer": None}])
    for _ in range(2):
        with engine.begin() as connection:
            expected = settlement.expected(connection, "2026-06", POLICY)
        rest = [one.contract_id for one in _owed(engine)]
        assert (expected, run(engine), rest) == (4, 2, ["k-3", "k-4"])


def _owed(engine: Engine) -> list[Owed]:
    with engine.begin() as connection:
        settlement.chunk(connection, "2026-06", FIRST, LAST, POLICY)
        return settlement.owed(connection, "2026-06", FIRST, LAST, POLICY, 50)


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("method", "settled"),
    [
        ("account_transfer", True),
        ("atone", True),
        ("np_invoice", True),
        ("isp_collection", True),
        ("invoice", False),
        ("credit_card", False),
    ],
)
def test_what_others_collect_for_us_is_paid_on_the_25th(engine: Engine, method: str, settled: bool) -> None:
    owed(engine, "k-1", method)
    assert run(engine) == int(settled)
    assert paid(engine) == {"k-1": date(2026, 7, 25) if settled else None}
    told = [("k-1", "settlement", 5000, at("2026-07-25 06:00:00"))]
    assert credits(engine) == (told if settled else [])
    assert left(engine) == ([] if settled else ["k-1"])


@pytest.mark.rule("BIL-3")
def test_a_second_time_it_does_nothing_and_a_range_at_a_time_it_does_the_same(engine: Engine) -> None:
    for number in range(5):
        owed(engine, f"k-{number}", "account_transfer", 1000 + number)
    assert [run(engine, "", "k-1"), run(engine, "k-1", "k-3"), run(engine, "k-3", LAST)] == [2, 2, 1]
    before = credits(engine), paid(engine)
    assert run(engine) == 5
    assert (credits(engine), paid(engine)) == before
    assert [amount for _, _, amount, _ in before[0]] == [1000, 1001, 1002, 1003, 1004]


@pytest.mark.rule("BIL-3")
def test_what_came_in_before_is_not_asked_for_again(engine: Engine) -> None:
    owed(engine, "k-1", "account_transfer")
    credit(engine, "k-1", 1500, "2026-07-10 10:00:00")
    credit(engine, "k-1", 900, "2026-07-11 10:00:00", kind="over")
    run(engine)
    assert [row[1:3] for row in credits(engine)] == [("over", 900), ("payment", 1500), ("settlement", 3500)]


def payment(amount: int, when: str) -> dict[str, Any]:
    row = {"credit_id": f"p-{when}", "contract_id": "k-1", "period": "2026-06", "kind": "payment"}
    return row | {"amount": amount, "at": at(when)}


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("settled", "paid", "told"),
    [
        (0, 5000, [("payment", 5000)]),
        (3500, 1500, [("payment", 1500), ("settlement", 3500)]),
        (3500, 5000, [("over", 3500), ("payment", 1500), ("settlement", 3500)]),
        (5000, 5000, [("over", 5000), ("settlement", 5000)]),
    ],
)
def test_money_that_comes_after_all_was_paid_is_over(
    engine: Engine, settled: int, paid: int, told: list[tuple[str, int]]
) -> None:
    """A payment of the same moment had read that nothing was paid."""
    owed(engine, "k-1", "account_transfer")
    if settled:
        credit(engine, "k-1", settled, "2026-07-25 06:00:00", kind="settlement")
    for _ in range(2):
        with engine.begin() as connection:
            bills.receive(connection, [payment(paid, "2026-07-25 06:00:00")], NOW)
    assert [row[1:3] for row in credits(engine)] == told
    assert noted(engine) == [amount for kind, amount in told if kind == "over"], (
        "once, for somebody to send it back"
    )


def noted(engine: Engine) -> list[int]:
    """What the timeline says is over."""
    with engine.begin() as connection:
        return [
            row["data"]["amount"]
            for row in contracts.timeline(connection, "k-1")
            if row["what"] == "payment_over"
        ]


@pytest.mark.rule("BIL-3")
def test_money_for_which_no_bill_is_open_is_over(engine: Engine) -> None:
    with engine.begin() as connection:
        bills.receive(connection, [payment(700, "2026-07-25 06:00:00") | {"kind": "over"}], NOW)
    assert [row[1:3] for row in credits(engine)] == [("over", 700)]


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize("first", ["payment", "settlement"])
def test_of_a_payment_and_a_settlement_at_the_same_moment_one_waits_and_counts_for_nothing(
    engine: Engine, first: str
) -> None:
    owed(engine, "k-1", "account_transfer")
    rows = table(StatementRow)

    def pay(connection: Connection) -> None:
        bills.receive(connection, [payment(5000, "2026-07-25 06:00:00")], NOW)
        still = rows.c.paid_on.is_(None)
        connection.execute(update(rows).where(still).values(paid_on=date(2026, 7, 25)))

    def settle(connection: Connection) -> None:
        settlement.chunk(connection, "2026-06", FIRST, LAST, POLICY)

    works = (pay, settle) if first == "payment" else (settle, pay)
    with ThreadPoolExecutor(1) as other:
        with engine.begin() as connection:
            works[0](connection)
            waiting = other.submit(in_transaction, engine, works[1])
            assert not wait([waiting], timeout=0.3).done
        waiting.result(timeout=20)
    told = {"payment": [("payment", 5000)], "settlement": [("over", 5000), ("settlement", 5000)]}
    assert [row[1:3] for row in credits(engine)] == told[first]


@pytest.mark.rule("BIL-3")
def test_nothing_to_pay_concerns_nobody(engine: Engine) -> None:
    owed(engine, "k-1", "invoice", 0, paid_on=date(2026, 7, 1))
    owed(engine, "k-2", "invoice", -100, paid_on=date(2026, 7, 1))
    owed(engine, "k-3", "invoice")
    with engine.begin() as connection:
        assert settlement.expected(connection, "2026-06", POLICY) == 1
        assert settlement.expected(connection, "2026-05", POLICY) == 0
    assert left(engine) == ["k-3"]


@pytest.mark.rule("BIL-3")
def test_a_bill_whose_collection_has_begun_is_dealt_with(engine: Engine) -> None:
    owed(engine, "k-1", "invoice", collected_at=at("2026-07-25 06:00:00"))
    assert left(engine) == []
    with engine.begin() as connection:
        assert settlement.owed(connection, "2026-06", FIRST, LAST, POLICY, 9) == []


@pytest.mark.rule("BIL-3")
def test_the_card_charged_is_the_latest_given_by_the_day_of_settlement(engine: Engine) -> None:
    for name in ("k-1", "k-2", "k-3", "k-4"):
        owed(engine, name, "credit_card")
    owed(engine, "k-5", "invoice")
    card(engine, "pay-k-5", "card_5", "2026-03-20 10:00:00", "k-5")
    card(engine, "pay-k-1", "card_old", "2026-03-20 10:00:00", "k-1")
    card(engine, "pay-new", "card_new", "2026-07-10 10:00:00", "k-1")
    card(engine, "pay-late", "card_late", "2026-07-25 06:00:01", "k-1")
    card(engine, "pay-k-2", None, "2026-03-20 10:00:00", "k-2")  # declined at the application
    card(engine, "pay-k-3", "card_3", of="k-3")  # brought in without a history
    credit(engine, "k-3", 2000, "2026-07-10 10:00:00")
    credit(engine, "k-3", 500, "2026-07-26 10:00:00")  # the run is late: what it asks for stays the same
    with engine.begin() as connection:
        found = settlement.owed(connection, "2026-06", FIRST, LAST, POLICY, 9)
    assert found == [
        Owed("k-1", 5000, "card_new"),
        Owed("k-2", 5000, None),
        Owed("k-3", 3000, "card_3"),
        Owed("k-4", 5000, None),
        Owed("k-5", 5000, None),
    ]


def asked(engine: Engine) -> list[Owed]:
    with engine.begin() as connection:
        return settlement.owed(connection, "2026-06", FIRST, LAST, POLICY, 9)


@pytest.mark.rule("BIL-3")
def test_a_card_is_asked_for_the_same_again_whatever_was_booked_meanwhile(engine: Engine) -> None:
    owed(engine, "k-1", "credit_card")
    card(engine, "pay-k-1", "card_1", "2026-03-20 10:00:00", "k-1")
    assert asked(engine) == [Owed("k-1", 5000, "card_1")]
    credit(engine, "k-1", 3000, "2026-07-24 10:00:00")
    card(engine, "pay-2", "card_2", "2026-07-24 10:00:00", "k-1")
    assert asked(engine) == [Owed("k-1", 5000, "card_1")]


@pytest.mark.rule("BIL-3")
def test_who_pays_otherwise_while_nobody_knows_whether_the_card_was_charged_is_asked_about(
    engine: Engine,
) -> None:
    owed(engine, "k-1", "credit_card")
    card(engine, "pay-k-1", "card_1", of="k-1")
    assert asked(engine) == [Owed("k-1", 5000, "card_1")]
    credit(engine, "k-1", 5000, "2026-07-25 10:00:00")
    with engine.begin() as connection:
        connection.execute(update(table(StatementRow)).values(paid_on=date(2026, 7, 25)))
    assert (left(engine), asked(engine)) == (["k-1"], [Owed("k-1", 5000, "card_1")])
    with engine.begin() as connection:
        assert not settlement.is_unpaid(connection, "2026-06", "k-1"), "no collection begins"
        settlement.charged(connection, "2026-06", [Owed("k-1", 5000, "card_1")], POLICY, NOW)
    assert [row[1:3] for row in credits(engine)] == [("over", 5000), ("payment", 5000)]
    assert (left(engine), asked(engine)) == ([], [])


@pytest.mark.rule("BIL-3")
def test_a_card_that_was_declined_is_not_asked_again(engine: Engine) -> None:
    owed(engine, "k-1", "credit_card")
    card(engine, "pay-k-1", "card_1", of="k-1")
    asked(engine)
    with engine.begin() as connection:
        settlement.declined(connection, "2026-06", ["k-1"])
    assert (left(engine), asked(engine)) == (["k-1"], [Owed("k-1", 5000, None)])


@pytest.mark.rule("BIL-3")
def test_what_a_late_settlement_charges_too_much_is_over(engine: Engine) -> None:
    owed(engine, "k-1", "credit_card")
    credit(engine, "k-1", 1500, "2026-07-25 10:00:00")
    for _ in range(2):
        with engine.begin() as connection:
            settlement.charged(connection, "2026-06", [Owed("k-1", 5000, "card_1")], POLICY, NOW)
    assert [row[1:3] for row in credits(engine)] == [("card", 3500), ("over", 1500), ("payment", 1500)]


@pytest.mark.rule("BIL-3")
def test_charged_cards_are_written_once(engine: Engine) -> None:
    for name in ("k-1", "k-2"):
        owed(engine, name, "credit_card")
    for _ in range(2):
        with engine.begin() as connection:
            settlement.charged(connection, "2026-06", [Owed("k-1", 5000, "card_1")], POLICY, NOW)
            settlement.charged(connection, "2026-06", [], POLICY, NOW)
    assert credits(engine) == [("k-1", "card", 5000, at("2026-07-25 06:00:00"))]
    assert paid(engine) == {"k-1": date(2026, 7, 25), "k-2": None}
    with engine.begin() as connection:
        assert settlement.owed(connection, "2026-06", FIRST, LAST, POLICY, 9) == [Owed("k-2", 5000, None)]
        assert settlement.is_unpaid(connection, "2026-06", "k-2")
        assert not settlement.is_unpaid(connection, "2026-06", "k-1")

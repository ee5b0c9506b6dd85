"""A contract's whole life is written once, however often, by however many, and in however many parts it is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from credentials import Credentials
from rules.change import Change
from store import accounts, changes, lines, people
from store.tables import AccountRow, ApprovalNumberRow, LineAccessRow
from store.write import insert
from tests.rules.cases import CARD, at
from tests.workflows.life import Life, applied

PARTY = {
    "party_id": "y-1",
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
    "language": "ja",
    "braille": False,
    "bill_mail": True,
}
APPLICATION = {
    "account": {"account_id": "a-1", "kind": "individual", "language": "ja"},
    "account_id": "a-1",
    "party": PARTY,
    "payment": {"payment_id": "pay-1", "method": "credit_card", "card_token": "tok_ok"},
}
IDENTITIES = {"timeline": "entry_id"}


@pytest.fixture
def life() -> list[Change]:
    """From application to a device that came back too late, with another card and an option on the way."""
    lived = Life(applied())
    lived.apply("2026-03-20 10:00:00", "support")
    lived.outside("2026-03-20 10:00:01", "register_card", "card_taken")
    lived.act("2026-03-21 11:00:00", "confirm_application", "approve")
    lived.outside("2026-03-21 11:00:01", "login", "arrived")
    lived.act("2026-04-01 09:00:00", "report_shipped")
    lived.ask("2026-04-03 09:00:00", "support_option", {"option": None})
    lived.ask("2026-05-03 09:00:00", "payment_method", CARD)
    lived.outside("2026-05-03 09:00:01", "register_card", "card_taken")
    lived.ask("2026-06-10 09:00:00", "plan_change", {"plan": "wifi-100", "course": "standard"})
    lived.act("2026-09-01 09:00:00", "receive_device")
    lived.changes[0].command_id = "c1"
    return lived.changes


def write(engine: Engine, *told: Change) -> None:
    with engine.begin() as connection:
        changes.record(connection, list(told))


def taken_in(engine: Engine) -> None:
    with engine.begin() as connection:
        people.take_in(connection, "c1", APPLICATION)


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in every table, but for numbers that the database gives out."""
    with engine.begin() as connection:
        return {
            name: sorted(
                (
                    tuple(value for key, value in row.items() if key != IDENTITIES.get(name))
                    for row in connection.execute(select(rows)).mappings()
                ),
                key=repr,
            )
            for name, rows in SQLModel.metadata.tables.items()
            if name != "intake"
        }


def test_told_twice_it_is_written_once(engine: Engine, life: list[Change]) -> None:
    taken_in(engine)
    write(engine, *life)
    once = everything(engine)
    assert len(once["transition"]) == len(life)
    assert [row for name in ("contract", "timeline", "charge", "task", "delivery") for row in once[name]]
    write(engine, *life)
    write(engine, life[-1])
    assert everything(engine) == once


def test_told_in_parts_that_overlap_it_is_the_same(engine: Engine, life: list[Change]) -> None:
    taken_in(engine)
    for start in range(0, len(life), 2):
        write(engine, *life[start : start + 3])
    parts = everything(engine)
    write(engine, *life)
    assert everything(engine) == parts
    assert len(parts["transition"]) == len(life)


def test_told_by_many_at_once_it_is_written_once(engine: Engine, life: list[Change]) -> None:
    taken_in(engine)
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(write, engine, *life) for _ in range(8)]:
            done.result()
    once = everything(engine)
    write(engine, *life)
    assert everything(engine) == once
    assert len(once["transition"]) == len(life)


def test_an_older_or_another_change_under_a_number_that_is_taken_writes_nothing(
    engine: Engine, life: list[Change]
) -> None:
    taken_in(engine)
    write(engine, *life)
    before = everything(engine)
    other = life[-1].model_copy(deep=True)
    other.contract.plan = "wifi-unlimited"
    with pytest.raises(changes.Ahead) as ahead:
        write(engine, other)
    assert ahead.value.stored == life[-1].contract
    assert everything(engine) == before


def test_a_transaction_that_fails_leaves_nothing(engine: Engine, life: list[Change]) -> None:
    taken_in(engine)
    write(engine, *life[:3])
    before = everything(engine)
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        changes.record(connection, life[3:])
        raise ZeroDivisionError
    assert everything(engine) == before


def test_personal_data_goes_where_it_belongs_and_nothing_of_it_stays_on_the_way(
    engine: Engine, life: list[Change]
) -> None:
    taken_in(engine)
    write(engine, *life)
    with engine.begin() as connection:
        intake = SQLModel.metadata.tables["intake"]
        assert connection.execute(select(intake.c.payload)).scalars().all() == [{}]
        people.give_back(connection, "c1")
        assert connection.execute(select(intake)).all() == []
        (party,) = connection.execute(select(SQLModel.metadata.tables["party"])).mappings()
        assert dict(party) == PARTY


@pytest.mark.rule("IDN-1")
def test_a_customer_id_that_another_line_has_is_passed_over(engine: Engine) -> None:
    wanted = Credentials("0" * 64).customer_ids
    with engine.begin() as connection:
        given = []
        for contract_id in ("k-1", "k-2", "k-3"):
            given.append(lines.unused_customer_id(connection, wanted("k-0")))
            insert(connection, LineAccessRow, [{"contract_id": contract_id, "customer_id": given[-1]}])
    assert given == list(islice(wanted("k-0"), 3))


@pytest.mark.rule("COL-1")
@pytest.mark.rule("IDN-3")
def test_so_are_approval_numbers_and_login_ids(engine: Engine) -> None:
    known = Credentials("0" * 64)
    number, *_ = numbers = list(islice(known.approval_numbers("c-0"), 2))
    login_id, *_ = login_ids = list(islice(known.login_ids("a-0"), 2))
    account = {"account_id": "a-1", "kind": "individual", "language": "ja", "created_at": at("2026-04-01")}
    with engine.begin() as connection:
        insert(connection, AccountRow, [account | {"login_id": login_id}])
        of = {"contract_id": "k-1", "procedure_id": "p-1"}
        insert(connection, ApprovalNumberRow, [of | {"number": number}])
        assert lines.unused_number(connection, numbers) == numbers[1]
        assert accounts.unused_login_id(connection, login_ids) == login_ids[1]

"""What a run over all contracts has to send: in its order, and what is put off by itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from rules import jobs, policy
from rules.runs import Run, delivery_prefix
from store import deliveries
from store import runs as store
from store.tables import DeliveryRow
from store.write import insert
from tests.rules.cases import at

JUNE = Run(job="month-end", period="2026-06")
DUE = jobs.due_at(policy.load().job(JUNE.job), JUNE.period)
SIZE = 64


def test_the_next_notices_are_those_after_the_last(engine: Engine) -> None:
    prefix, told = delivery_prefix(JUNE.job, JUNE.period), [""]
    mail: dict[str, Any] = {"kind": "statement", "at": DUE, "tries": 0, "data": {}}
    names = [f"{prefix}k-{number:02}" for number in range(SIZE)]
    with engine.begin() as connection:
        insert(connection, DeliveryRow, [mail | {"delivery_id": n, "contract_id": n} for n in names])
        while found := store.unsent(connection, JUNE.job, JUNE.period, 20, told[-1]):
            told += [delivery.delivery_id for delivery in found]
    assert told == ["", *names]


def test_what_is_put_off_is_tried_when_it_is_due_and_named_and_no_run_waits_for_it(engine: Engine) -> None:
    prefix = delivery_prefix(JUNE.job, JUNE.period)
    mail: dict[str, Any] = {"kind": "statement", "at": DUE, "tries": 0, "data": {}}
    soon, later = at("2026-07-01 00:11:00"), at("2026-07-01 00:20:00")
    with engine.begin() as connection:
        rows = [mail | {"delivery_id": f"{prefix}k-{n}", "contract_id": f"k-{n}"} for n in range(5)]
        insert(connection, DeliveryRow, rows)
        assert store.next_try(connection, JUNE) is None
        deliveries.put_off(connection, f"{prefix}k-1", "put off with 450", DUE, later)
        deliveries.put_off(connection, f"{prefix}k-2", "put off with 452", DUE, soon)
        deliveries.give_up(connection, {f"{prefix}k-3": "refused with 550"})
        deliveries.arrived(connection, [f"{prefix}k-4"])
        assert store.next_try(connection, JUNE) == soon
        due = [store.due_again(connection, JUNE, now, 10) for now in (DUE, soon, later)]
        assert [{one.contract_id for one in found} for found in due] == [set(), {"k-2"}, {"k-1", "k-2"}]
        assert [one.contract_id for one in store.unsent(connection, JUNE.job, JUNE.period, 10)] == ["k-0"]
        assert store.untold(connection, JUNE.job, JUNE.period, 10) == ["k-0"]
        assert [tuple(one.values()) for one in store.parked(connection, JUNE.job, JUNE.period)] == [
            ("k-1", "put off with 450"),
            ("k-2", "put off with 452"),
            ("k-3", "refused with 550"),
        ]

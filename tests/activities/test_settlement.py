"""Settlement with a real gateway and a real engine: every card once, whatever happens; collections for what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Timeout
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError

import worker
from activities import settlement as stage
from outside import payments
from outside.notice import Unreachable
from outside.payments import Gateway
from rules import jobs
from rules.calendar import JST, day_of, first_of_month, last_of_month
from rules.facts import Contract
from rules.runs import Range, Run
from store import bills, changes, contracts, people, runs, settlement
from store.ledger import CreditRow, StatementRow
from store.tables import ContractRow
from store.write import table
from tests.activities.cases import OwnLife
from tests.activities.world import OutsideWorld, World
from tests.rules.cases import POLICY
from tests.sandbox import process
from tests.store.test_record import PARTY
from tests.store.test_settlement import card, owed
from tests.workflows.life import line_applied

TODAY = datetime.now(JST).date()
PERIOD = jobs.month(first_of_month(TODAY, -2))
DUE = settlement.due_at(PERIOD, POLICY)
STEPS = 49
"""So many there are, undisturbed, from the first question to the last word."""


@asynccontextmanager
async def with_worker(outside: OutsideWorld, template: Path) -> AsyncIterator[World]:
    """A world in which contracts' workflows are served."""
    made = outside.world(template)
    async with served(made):
        yield made


@asynccontextmanager
async def served(made: World) -> AsyncIterator[None]:
    """Its contracts' workflows run."""
    outside = made.outside
    activities: list[Callable[..., Any]] = list(made.activities.values())
    with ThreadPoolExecutor(4) as executor:
        async with worker.make_worker(outside.client, outside.settings, activities, executor):
            yield


@pytest.fixture
async def world(outside: OutsideWorld, template: Path) -> AsyncIterator[World]:
    async with with_worker(outside, template) as made:
        yield made


def in_force(world: World, name: str, method: str) -> str:
    """A line in force in the store, its workflow at rest."""
    contract_id, payment_id = f"k-{world.name}-{name}", f"pay-{world.name}-{name}"
    told = OwnLife(line_applied(contract_id=contract_id, payment_id=payment_id, payment_method=method))
    told.apply("2026-03-20 10:00:00")
    told.contract.deliveries.clear()
    told.act("2026-03-21 11:00:00", "confirm_application", "approve")
    told.act("2026-04-01 09:00:00", "report_opening")
    told.contract.deliveries.clear()
    command = f"apply-{contract_id}"
    told.changes[0].command_id = command
    account_id = f"a-{contract_id}"
    owner = {"account_id": account_id, "party": PARTY | {"party_id": f"y-{contract_id}"}}
    account = {"account": {"account_id": account_id, "kind": "individual", "language": "ja"}}
    for change in told.changes:
        change.deliveries.clear()
        change.contract.deliveries.clear()
    with world.engine.begin() as connection:
        people.take_in(connection, command, owner | account)
        changes.record(connection, told.changes)
        people.give_back(connection, command)
    due_on = last_of_month(TODAY, -1)
    owed(world.engine, contract_id, method, payment_id=payment_id, period=PERIOD, due_on=due_on)
    return contract_id


async def paid_by_card(world: World, name: str, token: str) -> str:
    contract_id = in_force(world, name, "credit_card")
    key, payment_id = f"card-{contract_id}", f"pay-{world.name}-{name}"
    given = world.outside.sandbox.pay("cards", key, card_token=token)
    while given.status_code == 503:
        given = world.outside.sandbox.pay("cards", key, card_token=token)
    card(world.engine, payment_id, given.json().get("reference"), of=contract_id)
    return contract_id


async def counted(world: World) -> int:
    """The same for a run that begins anew: of how many it tells while it goes on that they were settled."""
    with world.engine.begin() as connection:
        runs.begin(connection, settlement.JOB, PERIOD, DUE, datetime.now(JST), 0)
    done = await settle(world)
    with world.engine.begin() as connection:
        told = runs.of(connection, settlement.JOB, PERIOD)
    assert told and told.done == done
    return done


async def settle(world: World, until: str = "~", attempts: int = 3) -> int:
    """How many contracts the run has settled by now. Tried again as Temporal does it."""
    run, part = Run(job=settlement.JOB, period=PERIOD), Range(until=until)
    for attempt in range(1, attempts + 1):
        try:
            reached = await world.run("run_settle", run, part, datetime.now(JST))
        except Unreachable:
            if attempt == attempts:
                raise
            continue
        assert reached.last is None
        return int(reached.done)
    raise AssertionError


def paid_on(world: World, contract_id: str) -> date | None:
    with world.engine.begin() as connection:
        return bills.paid_on(connection, contract_id, PERIOD)


def pending(world: World, contract_id: str) -> list[str]:
    with world.engine.begin() as connection:
        found: Contract = contracts.snapshot(connection, contract_id)
    return [p.kind for p in found.procedures]


def charges(world: World) -> list[tuple[str, int]]:
    ledger = world.outside.sandbox.ledger("charges")
    return [(one["key"], one["amount"]) for one in ledger if world.name in one["key"]]


@pytest.mark.rule("BIL-3")
async def test_cards_are_charged_once_and_what_is_left_is_collected(world: World) -> None:
    good = await paid_by_card(world, "a", "tok_ok")
    flaky = await paid_by_card(world, "b", "tok_flaky")
    refused = await paid_by_card(world, "c", "tok_declined")
    by_invoice = in_force(world, "d", "invoice")
    assert await counted(world) == 4
    keys = [(f"settlement-{PERIOD}-{one}", 5000) for one in (good, flaky)]
    assert sorted(charges(world)) == keys
    assert [paid_on(world, one) for one in (good, flaky)] == [day_of(DUE)] * 2
    for one in (refused, by_invoice):
        assert (paid_on(world, one), pending(world, one)) == (None, ["collection"])
    assert await counted(world) == 0
    assert sorted(charges(world)) == keys
    assert begun(world) == {refused: DUE, by_invoice: DUE}
    assert not left_in_intake(world)


def left(world: World) -> list[str]:
    with world.engine.begin() as connection:
        return settlement.left(connection, PERIOD, POLICY, 50)


def begun(world: World) -> dict[str, datetime]:
    rows = table(StatementRow)
    with world.engine.begin() as connection:
        found = connection.execute(select(rows.c.contract_id, rows.c.collected_at))
        return {row.contract_id: row.collected_at for row in found if row.collected_at}


def left_in_intake(world: World) -> list[Any]:
    return world._rows("intake")


@pytest.mark.rule("BIL-3")
async def test_while_the_gateway_is_down_nobody_is_taken_for_unpaid(world: World) -> None:
    contract_id = await paid_by_card(world, "a", "tok_ok")
    world.outside.sandbox.faults(gateway="down")
    try:
        with pytest.raises(Unreachable):
            await settle(world)
    finally:
        world.outside.sandbox.faults(gateway="up")
    assert (paid_on(world, contract_id), pending(world, contract_id), charges(world)) == (None, [], [])
    assert await counted(world) == 1
    assert paid_on(world, contract_id) == day_of(DUE)


@pytest.mark.rule("BIL-3")
async def test_a_card_that_cannot_be_reached_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "TRIES", 0)
    good = await paid_by_card(world, "a", "tok_ok")
    flaky = await paid_by_card(world, "b", "tok_flaky")
    assert await counted(world) == 1
    assert left(world) == [flaky]
    assert (paid_on(world, good), pending(world, flaky)) == (day_of(DUE), [])


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(("patience", "tries"), [(0.3, 30), (20, 1)])
async def test_a_gateway_that_answers_late_takes_the_money_once_and_nobody_is_taken_for_unpaid(
    outside: OutsideWorld,
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    tries: int,
) -> None:
    """Whether it answers after we have hung up, or just before."""
    monkeypatch.setattr(payments, "TIMEOUT", Timeout(patience))
    with process.run(tmp_path, "--slow-seconds", "2") as slow:
        settings = outside.settings.model_copy(update={"gateway_url": slow.gateway_url})
        async with Gateway(settings) as gateway:
            there = OutsideWorld(settings, slow, outside.client, gateway, outside.faults)
            async with with_worker(there, template) as world:
                names = [await paid_by_card(world, name, "tok_ok") for name in "ab"]
                slow.faults(gateway="slow")
                if tries > 1:
                    with pytest.raises(Unreachable):
                        await settle(world, attempts=1)
                    assert [(paid_on(world, name), pending(world, name)) for name in names] == [
                        (None, [])
                    ] * 2
                await settle(world, attempts=tries)
                assert [paid_on(world, name) for name in names] == [day_of(DUE)] * 2
                assert sorted(charges(world)) == [(f"settlement-{PERIOD}-{name}", 5000) for name in names]
                assert (left(world), begun(world)) == ([], {})


@pytest.mark.rule("BIL-3")
async def test_a_card_that_was_good_and_is_declined_now_is_collected(world: World) -> None:
    contract_id = await paid_by_card(world, "a", "tok_ok")
    world.outside.sandbox.faults(gateway="decline")
    try:
        assert await counted(world) == 1
    finally:
        world.outside.sandbox.faults(gateway="up")
    assert (paid_on(world, contract_id), pending(world, contract_id)) == (None, ["collection"])
    # The gateway keeps to its word: the card is not charged behind the collection's back.
    assert (await counted(world), charges(world)) == (0, [])


@pytest.mark.rule("BIL-3")
async def test_killed_between_charge_and_record_it_charges_no_second_time(world: World) -> None:
    contract_id = await paid_by_card(world, "a", "tok_ok")
    reference = world._rows("payment")[0]["reference"]
    await world.outside.gateway.charge(f"settlement-{PERIOD}-{contract_id}", reference, 5000)
    assert await counted(world) == 1
    assert len(charges(world)) == 1
    assert [row["amount"] for row in rows(world.engine)] == [5000]


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(
    ("booked", "told"), [(3000, [("card", 2000), ("over", 3000)]), (5000, [("over", 5000)])]
)
async def test_who_pays_otherwise_while_the_answer_of_the_card_is_lost_has_paid_too_much_and_not_too_little(
    world: World, monkeypatch: pytest.MonkeyPatch, booked: int, told: list[tuple[str, int]]
) -> None:
    contract_id = await paid_by_card(world, "a", "tok_ok")
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "charge", taken_but_not_told(Gateway.charge))
        with pytest.raises(Unreachable):
            await settle(world, attempts=1)
    book(world, contract_id, booked)
    await settle(world)
    assert charges(world) == [(f"settlement-{PERIOD}-{contract_id}", 5000)]
    found = [(row["kind"], row["amount"]) for row in rows(world.engine) if row["kind"] != "payment"]
    assert (sorted(found), pending(world, contract_id), left(world)) == (told, [], [])
    assert paid_on(world, contract_id) is not None


def taken_but_not_told(charge: Callable[..., Any]) -> Callable[..., Any]:
    async def cut(*asked: Any) -> Any:
        await charge(*asked)
        raise Unreachable("the answer is lost")

    return cut


def book(world: World, contract_id: str, amount: int) -> None:
    """An operator books a payment of the day before the settlement."""
    when = DUE - timedelta(days=1)
    row = {"credit_id": "booked", "contract_id": contract_id, "period": PERIOD, "kind": "payment"}
    mine = table(StatementRow).c.contract_id == contract_id
    with world.engine.begin() as connection:
        bills.receive(connection, [row | {"amount": amount, "at": when}], when)
        if amount == 5000:
            connection.execute(update(table(StatementRow)).where(mine).values(paid_on=day_of(when)))


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("BIL-8")
async def test_a_contract_that_cannot_be_read_is_named_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "TRIES", 0)
    broken, other = in_force(world, "a", "invoice"), in_force(world, "b", "invoice")
    spoil(world, broken)
    assert await counted(world) == 1
    assert (pending(world, other), left(world)) == (["collection"], [broken])
    (parked,) = world._rows("parked")
    assert (parked["contract_id"], parked["reason"]) == (broken, "ValidationError")


@pytest.mark.rule("BIL-8")
async def test_a_contract_that_cannot_be_read_keeps_no_run_from_beginning_for_ever(world: World) -> None:
    broken = in_force(world, "a", "invoice")
    spoil(world, broken, due_at=jobs.due_at(POLICY.job("month-end"), PERIOD))
    found = await world.run("run_ready", Run(job="month-end", period=PERIOD), datetime.now(JST))
    assert (found.late, found.until) == (1, None), "after a while the run goes on without it"


def spoil(world: World, contract_id: str, **more: Any) -> None:
    rows = table(ContractRow)
    with world.engine.begin() as connection:
        mine = update(rows).where(rows.c.contract_id == contract_id)
        connection.execute(mine.values(snapshot={"of": "another release"}, **more))


@pytest.mark.rule("BIL-3")
async def test_a_key_that_was_used_for_another_amount_declines_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "TRIES", 0)
    contract_id = await paid_by_card(world, "a", "tok_ok")
    reference = world._rows("payment")[0]["reference"]
    await world.outside.gateway.charge(f"settlement-{PERIOD}-{contract_id}", reference, 4000)
    await settle(world)
    assert (pending(world, contract_id), left(world)) == ([], [contract_id])


def rows(engine: Engine) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(select(table(CreditRow))).mappings())


@pytest.mark.rule("BIL-3")
async def test_many_cards_are_charged_at_once(world: World) -> None:
    names = [await paid_by_card(world, f"{number:03}", "tok_ok") for number in range(30)]
    assert await counted(world) == 30
    assert len(charges(world)) == len(names)
    assert {paid_on(world, name) for name in names} == {day_of(DUE)}


@pytest.mark.rule("BIL-3")
async def test_broken_at_any_step_it_comes_to_the_same(outside: OutsideWorld, template: Path) -> None:
    """The database or the gateway is gone for one step, in the activity or while the workflow's change is written."""
    found = set()
    for number in (None, *range(STEPS)):
        async with with_worker(outside, template) as world:
            by_card = await paid_by_card(world, "a", "tok_ok")
            by_invoice = in_force(world, "b", "invoice")
            outside.faults.begin(broken=number)
            with suppress(Unreachable, OperationalError):
                await settle(world, attempts=1)
            outside.faults.begin(broken=None)
            await settle(world)
            credits = [(row["kind"], row["amount"]) for row in rows(world.engine)]
            collections = [row for row in world._rows("procedure") if row["kind"] == "collection"]
            found.add((paid_on(world, by_card), *credits, len(charges(world)), len(collections)))
            assert (pending(world, by_invoice), left(world)) == (["collection"], [])
    assert found == {(day_of(DUE), ("card", 5000), 1, 1)}

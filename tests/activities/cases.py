"""For each activity what it is called with, and the store it finds. A new activity needs a case here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.change import Change
from rules.facts import Delivery
from rules.runs import Range, Run
from store import people
from store.tables import PassportIdRow
from store.write import table
from tests.activities.world import World
from tests.rules.cases import at
from tests.stack import APPLICANT
from tests.store.test_settlement import card, owed
from tests.workflows.life import Life, applied, line_applied
from workflows.step import Step

Arguments = tuple[Any, ...]
Prepare = Callable[[World], Any]
DEPOCOMI: dict[str, Any] = {"plan": "wifi-100", "course": "depocomi"}


class OwnLife(Life):
    """Its IDs are those of no other world."""

    def _step(self, now: str, by: str) -> Step:
        self.commands += 1
        key = f"{self.contract.contract_id[2:]}-{self.commands}"
        return Step(self.contract, at(now), by, key=key, digest=self.policy)


def life(world: World) -> Life:
    """Of a contract that is paid by card, applied for in March; everything that can be recorded happens to it."""
    name = world.name
    told = OwnLife(applied(contract_id=f"k-{name}", payment_id=f"pay-{name}"))
    told.apply("2026-03-20 10:00:00", "support")
    told.outside("2026-03-20 10:00:01", "register_card", "card_taken")
    told.act("2026-03-21 11:00:00", "confirm_application", "approve")
    told.outside("2026-03-21 11:00:01", "login", "undeliverable")
    told.act("2026-04-01 09:00:00", "report_shipped")
    told.ask(
        "2026-06-03 10:00:00", "payment_method", {"payment": {"method": "credit_card", "payment_id": "pay-2"}}
    )
    told.outside("2026-06-03 10:00:01", "register_card", "card_declined")
    told.ask("2026-06-05 10:00:00", "support_option", {"option": "support_premium"})
    told.ask("2026-06-10 10:00:00", "plan_change", DEPOCOMI)
    told.wait("2026-07-25 00:00:00")
    told.act("2026-08-03 10:00:00", "receive_device")
    return told


def line_life(world: World) -> Life:
    """Of a line that is opened, gets another access key, and is switched over to another operator."""
    name = world.name
    told = OwnLife(line_applied(contract_id=f"k-{name}", payment_id=f"pay-{name}"))
    told.apply("2026-03-20 10:00:00")
    told.act("2026-03-21 11:00:00", "confirm_application", "approve")
    told.act("2026-04-01 09:00:00", "report_opening")
    told.reissue("2026-04-02 12:00:00")
    told.ask("2026-06-10 12:00:00", "conversion", {})
    told.advance("2026-06-12 12:00:00", told.pending("conversion"), "take_up")
    told.advance("2026-06-20 15:00:00", told.pending("conversion"), "switch_over")
    return told


Tell = Callable[[World], Life]


def payload(world: World, method: str) -> dict[str, Any]:
    """What the application carried along."""
    name = world.name
    account = {"account_id": f"a-{name}", "kind": "individual", "language": "ja"}
    party = APPLICANT | {"party_id": f"y-{name}", "language": "ja"}
    token = "tok_ok" if method == "credit_card" else None
    payment = {"payment_id": f"pay-{name}", "method": method, "card_token": token}
    return {
        "account": account,
        "account_id": account["account_id"],
        "customer_id": f"CAF{name}",
        "party": party,
        "payment": payment,
    }


def changes(world: World, tell: Tell) -> list[Change]:
    """A life, change by change, with what its application and its conversion carried along."""
    told = tell(world)
    with world.engine.begin() as connection:
        for change in told.changes:
            for begun in change.begun:
                command = begun.procedure.procedure_id[2:]
                if begun.procedure.kind == "application":
                    people.take_in(connection, command, payload(world, told.contract.payment_method))
                elif begun.procedure.kind == "conversion":
                    number = {"number": f"A{world.name}", "contract_id": told.contract.contract_id}
                    people.take_in(connection, command, {"number": number})
                else:
                    continue
                change.command_id = command
    return told.changes


async def recorded(world: World, until: int, tell: Tell = life) -> list[Change]:
    """So many changes are in the store; the rest."""
    told = changes(world, tell)
    if until:
        await world.run("record", told[:until])
    return told[until:]


async def first_delivery(world: World, kind: str, tell: Tell) -> Delivery:
    """Of that kind, once it is to leave."""
    told = changes(world, tell)
    number, delivery = next(
        (number, delivery)
        for number, change in enumerate(told)
        for delivery in change.deliveries
        if delivery.kind == kind
    )
    await world.run("record", told[: number + 1])
    return delivery


async def with_passport_id(world: World) -> Arguments:
    """The line is taken up by another operator, and has an ID to lose."""
    *_, switched = changes(world, line_life)
    until = switched.contract.number - 1
    rest = await recorded(world, until, line_life)
    row = PassportIdRow(
        passport_id=f"i-{world.name}",
        contract_id=switched.contract.contract_id,
        name=f"n-{world.name}",
        password_hash="hash",
        created_at=switched.recorded_at,
    )
    with world.engine.begin() as connection:
        connection.execute(table(PassportIdRow).insert(), [row.model_dump()])
    return (rest,)


def record(number: int, tell: Tell = life) -> Callable[[World], Any]:
    async def prepare(world: World) -> Arguments:
        return ([(await recorded(world, number, tell))[0]],)

    return prepare


async def record_what_was_overdue(world: World) -> Arguments:
    return ((await recorded(world, 9))[:3],)


def deliver(kind: str, tell: Tell = life) -> Callable[[World], Any]:
    async def prepare(world: World) -> Arguments:
        return (await first_delivery(world, kind, tell),)

    return prepare


async def owed_by_card(world: World) -> Arguments:
    """A statement of June that is paid by a card which the gateway knows."""
    name = world.name
    given = world.outside.sandbox.pay("cards", f"card-{name}", card_token="tok_ok").json()
    owed(world.engine, f"k-{name}", "credit_card")
    card(world.engine, f"pay-k-{name}", given["reference"])
    return Run(job="settlement", period="2026-06"), Range(), at("2026-07-25 06:00:00")


CASES: dict[str, list[Prepare]] = {
    "run_settle": [owed_by_card],
    "record": [
        *(record(number) for number in range(0, 13, 2)),
        record_what_was_overdue,
        record(2, line_life),
        record(4, line_life),
        with_passport_id,
    ],
    "send": [deliver("login"), deliver("return_reminder"), deliver("opening_notice", line_life)],
    "register_card": [deliver("register_card")],
    "wake": [deliver("wake")],
}

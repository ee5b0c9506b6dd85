"""For each activity what it is called with, and the store it finds. A new activity needs a case here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.change import Change
from rules.facts import Delivery
from store import people
from tests.activities.world import World
from tests.rules.cases import at
from tests.stack import APPLICANT
from tests.workflows.life import Life, applied
from workflows.step import Step

Arguments = tuple[Any, ...]
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


def payload(world: World) -> dict[str, Any]:
    """What the application of `life` carried along."""
    name = world.name
    account = {"account_id": f"a-{name}", "kind": "individual", "language": "ja"}
    party = APPLICANT | {"party_id": f"y-{name}", "language": "ja"}
    payment = {"payment_id": f"pay-{name}", "method": "credit_card", "card_token": "tok_ok"}
    return {"account": account, "account_id": account["account_id"], "party": party, "payment": payment}


def changes(world: World) -> list[Change]:
    """`life`, change by change; the first is what its application has led to."""
    told = life(world).changes
    told[0].command_id = f"command-{world.name}"
    with world.engine.begin() as connection:
        people.take_in(connection, f"command-{world.name}", payload(world))
    return told


async def recorded(world: World, until: int) -> list[Change]:
    """So many changes are in the store; the rest."""
    told = changes(world)
    await world.run("record", told[:until])
    return told[until:]


async def first_delivery(world: World, kind: str) -> Delivery:
    """Of that kind, once it is to leave."""
    told = changes(world)
    number, delivery = next(
        (number, delivery)
        for number, change in enumerate(told)
        for delivery in change.deliveries
        if delivery.kind == kind
    )
    await world.run("record", told[: number + 1])
    return delivery


def record(number: int) -> Callable[[World], Any]:
    async def prepare(world: World) -> Arguments:
        return ([(await recorded(world, number))[0]],)

    return prepare


async def record_what_was_overdue(world: World) -> Arguments:
    return ((await recorded(world, 9))[:3],)


def deliver(kind: str) -> Callable[[World], Any]:
    async def prepare(world: World) -> Arguments:
        return (await first_delivery(world, kind),)

    return prepare


CASES: dict[str, list[Callable[[World], Any]]] = {
    "record": [*(record(number) for number in range(0, 13, 2)), record_what_was_overdue],
    "send": [deliver("login"), deliver("return_reminder")],
    "register_card": [deliver("register_card")],
    "wake": [deliver("wake")],
}

"""How a contract ended that changed its plan, as the store, the outbox and the gateway tell it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from gate import connect_client
from rules.calendar import JST, day_of, first_of_month, midnight
from store.database import connect, reading
from store.tables import ChargeRow, ContractRow, DeliveryRow, EntryRow, TaskRow
from store.write import table
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Ending:
    """Everything that is known of the contract and of its successor."""

    contract: dict[str, Any]
    successor: dict[str, Any]
    timeline: Rows
    successors_timeline: Rows
    tasks: Rows
    charges: Rows
    deliveries: Rows
    mails: Rows
    cards: list[str]

    @property
    def successor_id(self) -> str:
        return str(self.successor["contract_id"])

    @property
    def accepted_at(self) -> datetime:
        return self._at("plan_change_accepted")

    @property
    def closed_at(self) -> datetime:
        return self._at("plan_change_closed")

    def _at(self, what: str) -> datetime:
        (found,) = [row["at"] for row in self.timeline if row["what"] == what]
        return found.astimezone(JST)  # type: ignore[no-any-return]

    @property
    def ends(self) -> datetime:
        """00:00 on the 1st after the month of acceptance (RNT-3)."""
        return midnight(first_of_month(day_of(self.accepted_at), 1))

    @property
    def card_was_on_its_way(self) -> int:
        """1 where the gateway had not answered yet when the plan was changed: it answers for the successor, too."""
        return [row["what"] for row in self.successors_timeline].count("card_taken")

    @property
    def dated(self) -> list[tuple[str, datetime]]:
        """What the calendar alone brought, up to the day on which the device came back (RNT-10)."""
        dates = [
            ("contract_ended", self.ends),
            ("plan_change_awaiting_device", self.ends),
            ("plan_change_device_overdue", self.ends + timedelta(days=10)),
            ("plan_change_device_charged", self.ends + timedelta(days=24)),
        ]
        return [(what, at) for what, at in dates if at <= self.closed_at]

    def check(self) -> None:
        """It ended as it would have without any crash."""
        self._timeline_is_whole_and_in_order()
        self._everything_is_there_once()
        assert (self.contract["state"], self.successor["state"]) == ("ended", "active")
        assert midnight(self.successor["in_force_from"]) == self.ends

    def _timeline_is_whole_and_in_order(self) -> None:
        beginning = ["application_accepted", "application_preparing", "contract_preparing"]
        beginning += ["application_active", "contract_active", "plan_change_accepted", "contract_ending"]
        expected = [*beginning, *(what for what, _ in self.dated), "plan_change_closed"]
        told = [row["what"] for row in self.timeline]
        assert told.count("card_taken") == 1
        told.remove("card_taken")
        assert told == expected
        assert [(what, self._at(what)) for what, _ in self.dated] == self.dated
        begun = [(row["what"], row["at"].astimezone(JST)) for row in self.successors_timeline]
        assert [one for one in begun if one[0] != "card_taken"] == [
            ("application_preparing", self.accepted_at),
            ("application_active", self.ends),
            ("contract_active", self.ends),
        ]

    def _everything_is_there_once(self) -> None:
        dated = {what for what, _ in self.dated}
        overdue, charged = "plan_change_device_overdue" in dated, "plan_change_device_charged" in dated
        assert sorted((task["kind"], task["done_at"] is None) for task in self.tasks) == [
            ("confirm_application", False),
            ("receive_device", False),
            ("report_shipped", False),
            ("report_shipped", True),
        ]
        assert sorted((row["kind"], row["item"], row["amount"]) for row in self.charges) == sorted(
            [("fee", "plan_change", 1500)]
            + ([("device", "device", 20000), ("correction", "device", -20000)] if charged else [])
        )
        notices = [
            "login",
            *(["return_reminder"] if overdue else []),
            *(["device_charge"] if charged else []),
        ]
        assert [mail["kind"] for mail in self.mails] == notices
        taken_along = ["register_card", "wake"] * self.card_was_on_its_way
        sent = sorted([*notices, "register_card", "wake", *taken_along])
        assert sorted(row["kind"] for row in self.deliveries) == sent
        for row in self.deliveries:
            assert row["outcome"] == ("card_taken" if row["kind"] == "register_card" else "arrived")
        assert len(self.cards) == 1


async def ending_of(service: Parts, contract_id: str, within: float = 100) -> Ending:
    """Once everything that was on its way has got there."""
    deadline = time.monotonic() + within
    while True:
        ending = await _look(service, contract_id)
        on_their_way = [row["kind"] for row in ending.deliveries if row["outcome"] is None]
        if not on_their_way and ending.successor["state"] == "active":
            return ending
        assert time.monotonic() < deadline, (on_their_way, ending.successor["state"])
        await asyncio.sleep(0.3)


async def _look(service: Parts, contract_id: str) -> Ending:
    somebody = Insistent(service)
    # What the runs tell every month is theirs to prove.
    mails = [mail for mail in await somebody.outbox(contract_id) if mail["kind"] != "statement"]
    ledger = await somebody.http.get(f"{service.settings.sandbox_url}/gateway/ledger")
    keys = [card["key"] for card in ledger.json()["cards"] if card["key"].startswith(f"d-{contract_id[2:]}-")]
    (contract,) = rows(service, ContractRow, contract_id)
    successor_id = str(contract["successor_contract_id"])
    (successor,) = rows(service, ContractRow, successor_id)
    return Ending(
        contract=contract,
        successor=successor,
        timeline=rows(service, EntryRow, contract_id),
        successors_timeline=rows(service, EntryRow, successor_id),
        tasks=rows(service, TaskRow, contract_id, successor_id),
        charges=rows(service, ChargeRow, contract_id, successor_id),
        deliveries=[
            row for row in rows(service, DeliveryRow, contract_id, successor_id) if row["kind"] != "statement"
        ],
        mails=mails,
        cards=keys,
    )


def rows(service: Parts, row: Any, *contract_ids: str) -> Rows:
    """Of these contracts, or all."""
    told = table(row)
    found = select(told).order_by(*told.primary_key.columns)
    if contract_ids:
        found = found.where(told.c.contract_id.in_(contract_ids))
    with reading(connect(service.settings.database_url)).begin() as connection:
        return [dict(one) for one in connection.execute(found).mappings()]


async def open_workflows(service: Parts) -> set[str]:
    """Of contracts, by the engine's own account, which is a moment behind; what nobody took ends by itself.

    A run of all contracts begins whenever a month is over, here every few seconds.
    """
    client = await connect_client(service.settings)
    found = client.list_workflows("ExecutionStatus = 'Running'")
    return {workflow.id async for workflow in found if not workflow.id.startswith("run-")}

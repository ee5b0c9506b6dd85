"""Contracts that lie in the store begin to run."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine
from temporalio import activity
from temporalio.client import Client

from activities.outside import ARRIVED, Outside
from gate import Gate
from rules.facts import Contract, Delivery
from store import contracts


class Contracts:
    def __init__(self, outside: Outside, client: Client, task_queue: str) -> None:
        self._outside, self._gate = outside, Gate(client, task_queue)

    @activity.defn(name="wake")
    async def wake(self, delivery: Delivery) -> str:
        """Start the workflow of a contract from its stored snapshot; a running one is left alone."""
        return await self._outside.once(delivery, lambda: self._wake(delivery.data["contract_id"]))

    async def _wake(self, contract_id: str) -> str:
        contract = await asyncio.to_thread(_snapshot, self._outside.engine, contract_id)
        await self._gate.start(contract)
        return ARRIVED


def _snapshot(engine: Engine, contract_id: str) -> Contract:
    with engine.begin() as connection:
        return contracts.snapshot(connection, contract_id)

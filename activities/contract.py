"""Contracts that lie in the store begin to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy import Engine
from temporalio import activity
from temporalio.client import Client

from activities.outside import ARRIVED, Outside
from gate import Gate
from rules import beside
from rules.facts import Contract, Delivery
from store import contracts

CHUNK = 200
AT_ONCE = 10


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


async def catch_up(engine: Engine, gate: Gate) -> AsyncIterator[int]:
    """Tell the engine how every contract stands in the store that is not over; how many so far. Raises RPCError.

    For an engine that was emptied or restored: what runs adopts what it lacks, what does not run is started.
    """
    turns, last, told = asyncio.Semaphore(AT_ONCE), "", 0

    async def tell(contract: Contract) -> None:
        async with turns:
            await gate.catch_up(contract)

    while found := await asyncio.to_thread(_following, engine, last):
        last = found[-1].contract_id
        open_ones = [contract for contract in found if not beside.nothing_waits(contract)]
        await asyncio.gather(*(tell(contract) for contract in open_ones))
        told += len(open_ones)
        yield told


def _following(engine: Engine, last: str) -> list[Contract]:
    with engine.begin() as connection:
        return contracts.following(connection, last, CHUNK)

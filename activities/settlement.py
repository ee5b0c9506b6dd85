"""Settlement where others have a say: cards are charged, and what stays unpaid goes to collection (BIL-3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine

from gate import Gate, Refused, Unavailable
from outside.notice import Unreachable
from outside.payments import Declined, Gateway
from rules import policy as policies
from rules.change import Bill
from rules.facts import Contract
from rules.figures import Policy
from store import bills, people, settlement
from store.settlement import Card

T = TypeVar("T")
CHARGED_AT_ONCE, BEGUN_AT_ONCE, GROUP = 50, 10, 200
WAITS = (0.2, 1.0, 3.0)
"""Seconds between tries of a card before it is left for the next time."""

BY = "calendar"
log = structlog.get_logger()


class Settlement:
    """The stage of the settlement run after its chunks, for the contracts of a range.

    `after` charges cards and begins collections, a group at a time; repeating it, or stopping anywhere, does nothing twice.
    It returns for how many contracts nothing is left to do, and those that could not be reached, with the reason: they are
    what `store.settlement.left` names. Raises Unreachable where that is all of a group, so that the gateway is down.
    """

    def __init__(self, engine: Engine, gateway: Gateway, gate: Gate) -> None:
        self._engine, self._gateway, self._gate = engine, gateway, gate

    async def after(
        self,
        period: str,
        after: str,
        until: str,
        policy: Policy,
        now: datetime,
        beat: Callable[[], None] = lambda: None,
    ) -> tuple[int, dict[str, str]]:
        """`now` is business time, by the engine's clock; `beat` is called after each group."""
        failed: dict[str, str] = {}
        done = 0
        cards = await self._do(lambda c: settlement.cards(c, period, after, until, policy))
        for group in _groups(cards):
            paid, unreached = await self._charge(period, group, policy)
            done, failed = done + paid, failed | unreached
            beat()
        unpaid = await self._do(lambda c: settlement.unpaid(c, period, after, until))
        open_ones = [contract_id for contract_id in unpaid if contract_id not in failed]
        for names in _groups(open_ones):
            unreached = await self._collect(period, names, policy, now)
            done, failed = done + len(names) - len(unreached), failed | unreached
            beat()
        return done, failed

    async def _charge(self, period: str, group: list[Card], policy: Policy) -> tuple[int, dict[str, str]]:
        turns = asyncio.Semaphore(CHARGED_AT_ONCE)

        async def charge(card: Card) -> bool | str:
            async with turns:
                return await self._one(period, card)

        outcomes = await asyncio.gather(*(charge(card) for card in group))
        paid = [card for card, outcome in zip(group, outcomes, strict=True) if outcome is True]
        await self._do(lambda c: settlement.charged(c, period, paid, policy))
        pairs = zip(group, outcomes, strict=True)
        failed = {card.contract_id: outcome for card, outcome in pairs if isinstance(outcome, str)}
        if len(failed) == len(group):
            raise Unreachable(next(iter(failed.values())))
        return len(paid), failed

    async def _one(self, period: str, card: Card) -> bool | str:
        """Whether the card was charged, or why nobody knows. The key is the statement's: it is charged once."""
        if card.reference is None:
            return False
        trouble = ""
        for wait in (*WAITS, None):
            try:
                await self._gateway.charge(
                    f"settlement-{period}-{card.contract_id}", card.reference, card.amount
                )
                return True
            except Declined:
                return False
            except Unreachable as fault:
                trouble = str(fault)
            if wait is not None:
                await asyncio.sleep(wait)
        log.warning("not charged yet", contract_id=card.contract_id, period=period, trouble=trouble)
        return trouble

    async def _collect(self, period: str, names: list[str], policy: Policy, now: datetime) -> dict[str, str]:
        turns, failed = asyncio.Semaphore(BEGUN_AT_ONCE), dict[str, str]()

        async def begin(contract_id: str) -> None:
            async with turns:
                try:
                    await self._begin(period, contract_id, policy, now)
                except (Unavailable, Refused) as fault:
                    failed[contract_id] = str(fault) or type(fault).__name__

        await asyncio.gather(*(begin(contract_id) for contract_id in names))
        return failed

    async def _begin(self, period: str, contract_id: str, policy: Policy, now: datetime) -> None:
        """Have the contract's workflow begin the collection, unless nothing is unpaid any more."""
        command_id = f"collect-{period}-{contract_id}"

        def made(connection: Connection) -> tuple[Bill, Contract] | None:
            if not settlement.is_unpaid(connection, period, contract_id):
                return None
            # A crash may leave it recorded while the engine has forgotten it: then a worker finds it by this.
            people.take_in(connection, command_id, {})
            contract, open_bills = bills.standing(connection, contract_id)
            command = Bill(
                command_id=command_id,
                not_after=now + timedelta(days=1),
                policy=policies.know(policy),
                by=BY,
                event="unpaid",
                period=period,
                at=settlement.due_at(period, policy),
                number=contract.number,
                bills=open_bills,
            )
            return command, contract

        await self._gate.send_fresh("bill", contract_id, lambda: self._do(made))
        await self._do(lambda c: people.give_back(c, command_id))

    async def _do(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        return await asyncio.to_thread(run)


def _groups(whole: list[T]) -> Iterator[list[T]]:
    for first in range(0, len(whole), GROUP):
        yield whole[first : first + GROUP]

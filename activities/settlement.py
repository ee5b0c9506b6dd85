"""Settlement where others have a say: cards are charged, and what stays unpaid goes to collection (BIL-3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from temporalio import activity

from activities.outside import alive
from activities.runs import BROKEN
from gate import Gate, Refused, Unavailable
from outside.notice import Unreachable
from outside.payments import KEY_REUSED, Declined, Gateway
from rules import policy as policies
from rules.change import Bill
from rules.facts import Contract
from rules.figures import Policy
from rules.runs import Range, Reached, Run
from store import bills, people, runs, settlement
from store.database import in_transaction
from store.settlement import Owed

T = TypeVar("T")
CHARGED_AT_ONCE, BEGUN_AT_ONCE, GROUP = 50, 10, 200
STRETCH_SECONDS = 20
"""How long one activity works before it hands over to the next."""

TRIES = 8
"""How often the activity tries those that could not be reached before they are left to an operator."""

BY = "calendar"
log = structlog.get_logger()


class Settlement:
    """The stage of the settlement run after its chunks. What it does is keyed by statement, so it can stop anywhere.

    Contracts that could not be reached stay open: `store.settlement.left` names them, and the run tries them again.
    """

    def __init__(self, engine: Engine, gateway: Gateway, gate: Gate) -> None:
        self._engine, self._gateway, self._gate = engine, gateway, gate

    @activity.defn(name="run_settle")
    async def settle(self, run: Run, part: Range, now: datetime) -> Reached:
        """Charge cards and begin collections, group by group, until the range is done or some time has passed.

        `now` is business time by the engine's clock. Raises Unreachable at the end where somebody could not be reached.
        """
        began, reached = time.monotonic(), Reached(last=part.after)
        unreached: set[str] = set()
        async with alive():
            while reached.last is not None and time.monotonic() < began + STRETCH_SECONDS:
                rest = Range(after=reached.last, until=part.until)
                group, failed = await self._group(run.period, rest, now)
                last = group[-1].contract_id if group else None
                reached = Reached(last=last, done=await self._advance(run, len(group) - len(failed)))
                unreached |= failed
        if unreached and activity.info().attempt < TRIES:
            raise Unreachable(f"{len(unreached)} could not be reached, such as {min(unreached)}")
        return reached

    async def _advance(self, run: Run, done: int) -> int:
        """How many the run has dealt with by now, be it in a try before this one."""
        return await self._do(lambda c: runs.advance(c, run.job, run.period, done))

    async def _group(self, period: str, part: Range, now: datetime) -> tuple[list[Owed], set[str]]:
        """The next open statements, and whose could not be dealt with."""
        policy = policies.current()
        group = await self._do(lambda c: settlement.owed(c, period, part.after, part.until, policy, GROUP))
        cards = [owed for owed in group if owed.reference is not None]
        paid, unreached = await self._charge(period, cards, policy, now)
        dealt_with = unreached | {owed.contract_id for owed in paid}
        rest = [owed.contract_id for owed in group if owed.contract_id not in dealt_with]
        return group, unreached | await self._collect(period, rest, policy, now)

    async def _charge(
        self, period: str, cards: list[Owed], policy: Policy, now: datetime
    ) -> tuple[list[Owed], set[str]]:
        """Those that are paid now, and those of which nobody knows."""
        turns = asyncio.Semaphore(CHARGED_AT_ONCE)

        async def charge(card: Owed) -> bool | None:
            async with turns:
                return await self._one(period, card)

        outcomes = await asyncio.gather(*(charge(card) for card in cards))
        known = list(zip(cards, outcomes, strict=True))
        paid = [card for card, outcome in known if outcome]
        declined = [card.contract_id for card, outcome in known if outcome is False]

        def answered(connection: Connection) -> None:
            settlement.charged(connection, period, paid, policy, now)
            settlement.declined(connection, period, declined)

        await self._do(answered)
        return paid, {card.contract_id for card, outcome in known if outcome is None}

    async def _one(self, period: str, card: Owed) -> bool | None:
        """Whether the card was charged; None where nobody knows. The key is the statement's: it is charged once."""
        key = f"settlement-{period}-{card.contract_id}"
        try:
            await self._gateway.charge(key, str(card.reference), card.amount)
        except Declined as no:
            if no.code != KEY_REUSED:
                return False
            trouble = no.code
        except Unreachable as fault:
            trouble = str(fault)
        else:
            return True
        log.warning("not charged yet", contract_id=card.contract_id, period=period, trouble=trouble)
        return None

    async def _collect(self, period: str, names: list[str], policy: Policy, now: datetime) -> set[str]:
        """Begin collections; those that could not be begun."""
        turns, failed = asyncio.Semaphore(BEGUN_AT_ONCE), set[str]()

        async def begin(contract_id: str) -> None:
            async with turns:
                try:
                    await self._begin(period, contract_id, policy, now)
                except (Unavailable, Refused) as fault:
                    trouble = str(fault)
                except BROKEN as fault:
                    trouble = type(fault).__name__
                    reason = (settlement.JOB, period, contract_id, trouble, now)
                    await self._do(lambda c: runs.put_aside(c, *reason))
                else:
                    return
                log.warning("not collected yet", contract_id=contract_id, period=period, trouble=trouble)
                failed.add(contract_id)

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
        return await asyncio.to_thread(in_transaction, self._engine, work)

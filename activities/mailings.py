"""Mails and letters of a run over all contracts: many at once, which no contract's workflow waits for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from activities.notices import Notices
from activities.outside import ARRIVED, FIRST_WAIT
from outside import texts
from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import Notice, Undeliverable
from rules.facts import Delivery
from store import deliveries as store
from store.database import DOWN

UNDELIVERABLE = "undeliverable"
AT_ONCE = 4
STUCK_WAIT = timedelta(hours=1)  # as long as the run waits for an operator


@dataclass
class Batch:
    """What is sent together: what came of each, and which fail by their own fault."""

    deliveries: dict[str, Delivery]
    outcomes: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)


class Mailings:
    def __init__(self, notices: Notices, mailer: Mailer, printer: Printer) -> None:
        self._notices, self._mailer, self._printer = notices, mailer, printer
        self._outside = notices.outside

    async def send_all(self, deliveries: list[Delivery]) -> dict[str, str]:
        """Contracts whose own data are in the way of their notice, and how. Raises Unreachable.

        What has arrived by then is remembered, and for the rest it is noted why not.
        """
        batch = Batch({d.delivery_id: d for d in deliveries})
        notices = await asyncio.to_thread(self._compose, batch)
        sending = (self._send(notices[n::AT_ONCE], batch) for n in range(AT_ONCE) if notices[n::AT_ONCE])
        faults = [fault for fault in await asyncio.gather(*sending, return_exceptions=True) if fault]
        await asyncio.to_thread(self._note, batch, str(faults[0]) if faults else "")
        if faults:
            raise faults[0]
        return {batch.deliveries[one].contract_id: why for one, why in batch.stuck.items()}

    def _compose(self, batch: Batch) -> list[Notice]:
        composed = []
        for delivery in batch.deliveries.values():
            try:
                notice = self._notices.compose(delivery)
            except DOWN:
                raise
            except Exception as fault:  # whatever it is, it is this contract's own
                batch.stuck[delivery.delivery_id] = type(fault).__name__
                continue
            if notice is None:
                batch.outcomes[delivery.delivery_id] = ARRIVED
            else:
                composed.append(notice)
        return composed

    async def _send(self, share: list[Notice], batch: Batch) -> None:
        """One after the other; mails over one connection."""
        async with self._mailer.connected() as send:
            for notice in share:
                try:
                    await (send if notice.channel == "mail" else self._printer.print)(notice)
                    batch.outcomes[notice.delivery_id] = ARRIVED
                except Undeliverable:
                    batch.outcomes[notice.delivery_id] = UNDELIVERABLE
                except texts.BadField as fault:
                    batch.stuck[notice.delivery_id] = type(fault).__name__

    def _note(self, batch: Batch, trouble: str) -> None:
        soon, later = self._outside.now() + FIRST_WAIT, self._outside.now() + STUCK_WAIT
        with self._outside.engine.begin() as connection:
            store.settle_all(connection, batch.outcomes)
            for one in batch.deliveries.keys() - batch.outcomes.keys():
                stuck = batch.stuck.get(one)
                store.trouble(
                    connection, one, f"a fault: {stuck}" if stuck else trouble, later if stuck else soon
                )

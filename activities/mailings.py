"""Mails and letters of a run over all contracts: many at once, which no contract's workflow waits for.

A mailbox that refuses one for now holds up no other: that mail is put off, and in the end given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from activities.notices import Notices
from outside import texts
from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import Notice, PutOff, Undeliverable
from rules import policy
from rules.facts import Delivery
from rules.runs import next_try
from store import deliveries as store
from store import timeline
from store.database import DOWN

AT_ONCE = 4
STUCK_WAIT = timedelta(hours=1)  # as long as the run waits for an operator


@dataclass
class Batch:
    """What is sent together, and what came of each: arrived; or why it never will, not now, or not as its data are."""

    deliveries: dict[str, Delivery]
    arrived: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    put_off: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)

    def unreached(self) -> set[str]:
        """Of which the outside said nothing."""
        return self.deliveries.keys() - self.arrived - self.refused.keys() - self.put_off.keys()


class Mailings:
    def __init__(self, notices: Notices, mailer: Mailer, printer: Printer) -> None:
        self._notices, self._mailer, self._printer = notices, mailer, printer
        self._outside = notices.outside

    async def send_all(self, deliveries: list[Delivery]) -> dict[str, str]:
        """Contracts whose own data are in the way of their notice, and how. Raises Unreachable, but for one recipient alone.

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
                batch.arrived.add(delivery.delivery_id)
            else:
                composed.append(notice)
        return composed

    async def _send(self, share: list[Notice], batch: Batch) -> None:
        """One after the other; mails over one connection."""
        async with self._mailer.connected() as send:
            for notice in share:
                await self._send_one(send if notice.channel == "mail" else self._printer.print, notice, batch)

    async def _send_one(
        self, send: Callable[[Notice], Awaitable[None]], notice: Notice, batch: Batch
    ) -> None:
        try:
            await send(notice)
            batch.arrived.add(notice.delivery_id)
        except Undeliverable as no:
            batch.refused[notice.delivery_id] = str(no)
        except PutOff as no:
            batch.put_off[notice.delivery_id] = str(no)
        except texts.BadField as fault:
            batch.stuck[notice.delivery_id] = type(fault).__name__

    def _note(self, batch: Batch, trouble: str) -> None:
        now = self._outside.now()
        with self._outside.engine.begin() as connection:
            if batch.put_off or batch.stuck:
                self._put_off(connection, batch)
            store.arrived(connection, batch.arrived)
            store.give_up(connection, batch.refused)
            for delivery in (batch.deliveries[one] for one in batch.refused):
                about = delivery.contract_id, "notice_undeliverable", now, "calendar"
                timeline.note(connection, *about, kind=delivery.kind)
            for one in batch.unreached():
                stuck = batch.stuck.get(one)
                words, until = (f"a fault: {stuck}", now + STUCK_WAIT) if stuck else (trouble, now)
                store.trouble(connection, one, words, until)

    def _put_off(self, connection: Connection, batch: Batch) -> None:
        """When each is tried again; what was put off for long enough is as good as refused for good."""
        now, days = self._outside.now(), policy.current().runs.put_off_days
        since = store.put_off_since(connection, batch.put_off.keys() | batch.stuck.keys())
        # The run that would be told of a fault in its own data may be over long ago.
        batch.put_off |= {one: f"a fault: {why}" for one, why in batch.stuck.items() if one in since}
        for one, why in batch.put_off.items():
            until = next_try(since.get(one, now), now, days)
            if until is None:
                batch.refused[one] = why
            else:
                store.put_off(connection, one, why, since.get(one, now), until)

"""Mails and letters of a run over all contracts: many at once, which no contract's workflow waits for."""

from __future__ import annotations

import asyncio

from activities.notices import Notices
from activities.outside import ARRIVED, FIRST_WAIT
from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import Notice, Undeliverable
from rules.facts import Delivery
from store import deliveries as store

UNDELIVERABLE = "undeliverable"
AT_ONCE = 4


class Mailings:
    def __init__(self, notices: Notices, mailer: Mailer, printer: Printer) -> None:
        self._notices, self._mailer, self._printer = notices, mailer, printer
        self._outside = notices.outside

    async def send_all(self, deliveries: list[Delivery]) -> None:
        """Raises Unreachable; what has arrived by then is remembered, and for the rest it is noted why not."""
        notices = await asyncio.to_thread(self._compose, deliveries)
        outcomes = {d.delivery_id: ARRIVED for d in deliveries if d.delivery_id not in notices}
        shares = [list(notices.values())[n::AT_ONCE] for n in range(AT_ONCE)]
        sending = (self._send(share, outcomes) for share in shares if share)
        faults = [fault for fault in await asyncio.gather(*sending, return_exceptions=True) if fault]
        await asyncio.to_thread(self._note, deliveries, outcomes, str(faults[0]) if faults else "")
        if faults:
            raise faults[0]

    def _compose(self, deliveries: list[Delivery]) -> dict[str, Notice]:
        composed = ((d.delivery_id, self._notices.compose(d)) for d in deliveries)
        return {delivery_id: notice for delivery_id, notice in composed if notice}

    async def _send(self, share: list[Notice], outcomes: dict[str, str]) -> None:
        """One after the other; mails over one connection."""
        async with self._mailer.connected() as send:
            for notice in share:
                try:
                    await (send if notice.channel == "mail" else self._printer.print)(notice)
                    outcomes[notice.delivery_id] = ARRIVED
                except Undeliverable:
                    outcomes[notice.delivery_id] = UNDELIVERABLE

    def _note(self, deliveries: list[Delivery], outcomes: dict[str, str], trouble: str) -> None:
        again = self._outside.now() + FIRST_WAIT
        with self._outside.engine.begin() as connection:
            store.settle_all(connection, outcomes)
            for delivery in deliveries if trouble else []:
                if delivery.delivery_id not in outcomes:
                    store.trouble(connection, delivery.delivery_id, trouble, again)

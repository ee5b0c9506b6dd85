"""Mails and letters to the customer."""

from __future__ import annotations

import asyncio
from typing import Literal

from sqlalchemy import RowMapping
from temporalio import activity

from activities.outside import ARRIVED, Outside
from credentials import Credentials, hash_password
from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import Notice, Recipient, Undeliverable
from rules.calendar import JST
from rules.facts import Delivery
from store import accounts, deliveries

CHANNELS: dict[str, Literal["mail", "post"]] = {}


class Notices:
    """Builds each notice from the store, where the personal data is, and sends it."""

    def __init__(self, outside: Outside, mailer: Mailer, printer: Printer, credentials: Credentials) -> None:
        self._outside, self._mailer, self._printer, self._credentials = outside, mailer, printer, credentials

    @activity.defn(name="send")
    async def send(self, delivery: Delivery) -> str:
        """`arrived`, or `undeliverable` where the other side refused for good. Raises Unreachable."""
        return await self._outside.once(delivery, lambda: self._send(delivery))

    async def _send(self, delivery: Delivery) -> str:
        notice = await asyncio.to_thread(self._compose, delivery)
        if notice is None:
            return ARRIVED
        try:
            await (self._mailer.send if notice.channel == "mail" else self._printer.print)(notice)
        except Undeliverable:
            return "undeliverable"
        return ARRIVED

    def _compose(self, delivery: Delivery) -> Notice | None:
        """The notice, or None where there is nothing to tell: a further contract brings no further login (IDN-3)."""
        with self._outside.engine.begin() as connection:
            person = deliveries.recipient(connection, delivery.contract_id)
            fields = {name: str(value) for name, value in delivery.data.items()}
            if delivery.kind == "login":
                if not accounts.is_first_contract(connection, person["account_id"], delivery.contract_id):
                    return None
                fields |= self._open_login(person)
                accounts.give_login(
                    connection, person["account_id"], fields["login_id"], hash_password(fields["password"])
                )
        return self._notice(delivery, person, fields)

    def _open_login(self, person: RowMapping) -> dict[str, str]:
        account_id = person["account_id"]
        return {
            "login_id": self._credentials.login_id(account_id),
            "password": self._credentials.password(account_id),
        }

    def _notice(self, delivery: Delivery, person: RowMapping, fields: dict[str, str]) -> Notice:
        to = Recipient(
            name=person["name"],
            email=person["email"],
            postal_code=person["postal_code"],
            address=person["address"],
        )
        return Notice(
            delivery_id=delivery.delivery_id,
            contract_id=delivery.contract_id,
            kind=delivery.kind,
            channel=CHANNELS.get(delivery.kind, "mail"),
            language=person["language"],
            at=delivery.at.astimezone(JST),
            to=to,
            fields=fields,
        )

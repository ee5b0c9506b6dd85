"""Mails and letters to the customer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection, RowMapping
from temporalio import activity

from activities.outside import ARRIVED, Outside
from credentials import Credentials, hash_password, password_matches
from outside import statement_pdf
from outside.document import Block
from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import Notice, Recipient, Undeliverable
from rules.calendar import JST
from rules.facts import Delivery
from rules.texts import Language
from store import accounts, bills, deliveries, lines, members, points, tasks

CHANNELS: dict[str, Literal["mail", "post"]] = {
    "opening_notice": "post",
    "access_key": "post",
    "written_form": "post",
    "authentication_key": "post",
}
# BIL-4: whatever the customer has chosen.
BOTH = frozenset(
    {"carried_over_invoice", "suspension_notice", "suspended", "termination_notice", "terminated"}
)

OF_THE_CLUB = frozenset({"membership_link", "points_balance", "points_warning"})
CHOSEN = {"ja": "会員登録の際に設定されたもの", "en": "the one you chose when you registered"}


class Notices:
    """Builds each notice from the store, where the personal data is, and sends it."""

    def __init__(
        self, outside: Outside, mailer: Mailer, printer: Printer, credentials: Credentials, public_url: str
    ) -> None:
        self.outside, self._mailer, self._printer, self._credentials = outside, mailer, printer, credentials
        self._public_url = public_url.rstrip("/")

    @activity.defn(name="send")
    async def send(self, delivery: Delivery) -> str:
        """`arrived`, or `undeliverable` where the other side refused for good. Raises Unreachable."""
        return await self.outside.once(delivery, lambda: self._send(delivery))

    async def _send(self, delivery: Delivery) -> str:
        notice = await asyncio.to_thread(self.compose, delivery)
        if notice is None:
            return ARRIVED
        try:
            await (self._mailer.send if notice.channel == "mail" else self._printer.print)(notice)
        except Undeliverable:
            return "undeliverable"
        return ARRIVED

    def compose(self, delivery: Delivery) -> Notice | None:
        """The notice, or None where there is nothing to tell."""
        with self.outside.engine.begin() as connection:
            person = deliveries.recipient(connection, delivery.contract_id)
            found = self._fields(connection, delivery, person)
            email = self._email(connection, delivery) or person["email"]
            details = _details(connection, delivery, person["language"])
        if found is None:
            return None
        fields = {name: str(value) for name, value in (delivery.data | found).items()}
        return replace(self._notice(delivery, person, email, fields), details=details)

    def _email(self, connection: Connection, delivery: Delivery) -> str | None:
        """The club writes to where its members want to be written to (PNT-1)."""
        if delivery.kind not in OF_THE_CLUB:
            return None
        return members.email(connection, delivery.contract_id, delivery.procedure_id)

    def _fields(
        self, connection: Connection, delivery: Delivery, person: RowMapping
    ) -> dict[str, str] | None:
        """What the notice carries that no workflow knows."""
        if delivery.kind == "login":
            return self._login(connection, delivery, person)
        if delivery.kind in ("opening_notice", "access_key"):
            return self._access(connection, delivery)
        if delivery.kind == "approval_number":
            return {"approval_number": lines.approval_number(connection, str(delivery.procedure_id))}
        if delivery.kind == "statement":
            return bills.told(connection, delivery.contract_id, delivery.data["period"])
        if delivery.kind == "deletion_certificate":
            return self._certificate(connection, delivery)
        if delivery.kind == "membership_link":
            token = self._credentials.membership_token(str(delivery.procedure_id))
            return {"link": f"{self._public_url}/v1/memberships/{token}"}
        if delivery.kind == "authentication_key":
            issue = delivery.data["issue"]
            return {"authentication_key": self._credentials.authentication_key(delivery.contract_id, issue)}
        if delivery.kind in BOTH:
            period = delivery.data["period"]
            return {"billing_number": bills.number_of(connection, delivery.contract_id, period)}
        if delivery.kind == "form_turned_down":
            note = tasks.note(connection, delivery.contract_id, str(delivery.procedure_id))
            return {"reason": note or "–"}
        return {}

    def _certificate(self, connection: Connection, delivery: Delivery) -> dict[str, str]:
        """How much was deleted, and nothing of what it was (COL-7)."""
        contract_id, at = delivery.contract_id, delivery.at
        return {
            "certificate_number": self._credentials.certificate(contract_id),
            "passport_ids": str(lines.deleted(connection, contract_id, at)),
            "points": str(points.forfeited(connection, contract_id, at)),
        }

    def _login(self, connection: Connection, delivery: Delivery, person: RowMapping) -> dict[str, str] | None:
        """A further contract brings no further login (IDN-3). A password that a member has chosen is known to nobody."""
        account_id = person["account_id"]
        if not accounts.is_first_told(connection, account_id, delivery.contract_id):
            return None
        password = self._credentials.password(account_id)
        stored = accounts.login(connection, account_id)
        if stored is None:
            ids = self._credentials.login_ids(account_id)
            login_id = accounts.unused_login_id(connection, ids)
            accounts.give_login(connection, account_id, login_id, hash_password(password))
            return {"login_id": login_id, "password": password}
        login_id, known = stored
        told = password if password_matches(known, password) else CHOSEN[person["language"]]
        return {"login_id": login_id, "password": told}

    def _access(self, connection: Connection, delivery: Delivery) -> dict[str, str]:
        """Customer ID and access key (IDN-1, IDN-2)."""
        key = self._credentials.access_key(delivery.contract_id, delivery.data["issue"])
        return {"customer_id": lines.access(connection, delivery.contract_id), "access_key": key}

    def _notice(self, delivery: Delivery, person: RowMapping, email: str, fields: dict[str, str]) -> Notice:
        to = Recipient(
            name=person["name"],
            kind=person["kind"],
            email=email,
            postal_code=person["postal_code"],
            address=person["address"],
        )
        return Notice(
            delivery_id=delivery.delivery_id,
            contract_id=delivery.contract_id,
            kind=delivery.kind,
            channel=delivery.data.get("channel") or CHANNELS.get(delivery.kind, "mail"),
            language="both" if delivery.kind in BOTH else person["language"],
            at=delivery.at.astimezone(JST),
            to=to,
            fields=fields,
        )


def _details(connection: Connection, delivery: Delivery, words: Language) -> tuple[Block, ...]:
    """The lines of a bill that is paid by what is sent: by post, or apart from what the provider collects (MAT-6)."""
    if delivery.kind != "statement":
        return ()
    contract_id, period = delivery.contract_id, delivery.data["period"]
    row = bills.statement(connection, contract_id, period)
    if row is None or (delivery.data.get("channel") != "post" and row["invoice"] != "separate"):
        return ()
    return tuple(statement_pdf.details(bills.shown(connection, row, words), words))

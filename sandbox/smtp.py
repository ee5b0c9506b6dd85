"""The mail server: takes every mail and puts it into the outbox."""

import asyncio
import base64
import json
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import sha256
from socket import socket
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from outside.notice import DEV_HEADERS, JST
from sandbox.outbox import Delivery, Outbox

MailFault = Literal["up", "down", "refuse", "busy"]


class MailServer:
    """Listens while it is up. `down`: nobody answers; `refuse`: no such mailbox; `busy`: try again later."""

    def __init__(self, outbox: Outbox, listener: socket) -> None:
        self._outbox = outbox
        self._address = listener.getsockname()
        self._listener: socket | None = listener
        self._server: asyncio.Server | None = None
        self._fault: MailFault = "up"

    @property
    def fault(self) -> MailFault:
        """How it behaves now."""
        return self._fault

    async def behave(self, fault: MailFault) -> None:
        """From now on mail fares like this."""
        self._fault = fault
        if fault == "down":
            self.stop()
        elif self._server is None:
            await self._listen()

    def stop(self) -> None:
        """Takes no more mail."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        where: dict[str, Any] = (
            {"sock": self._listener}
            if self._listener
            else {
                "host": self._address[0],
                "port": self._address[1],
            }
        )
        self._listener = None
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="sandbox", ident="Keiyaku sandbox", enable_SMTPUTF8=True, loop=loop),
            **where,
        )

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for every recipient."""
        if self._fault == "refuse":
            return "550 5.1.1 no such mailbox"
        if self._fault == "busy":
            return "451 4.3.2 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd with the whole mail."""
        content = envelope.content
        self._outbox.put(_read(content if isinstance(content, bytes) else b"", envelope.rcpt_tos[0]))
        return "250 OK"


def _read(content: bytes, to: str) -> Delivery:
    mail = message_from_bytes(content)
    return Delivery(
        delivery_id=mail[DEV_HEADERS["delivery_id"]] or mail["Message-ID"] or sha256(content).hexdigest(),
        at=_date(mail),
        channel="mail",
        kind=mail[DEV_HEADERS["kind"]],
        to=to,
        email=to,
        contract_id=mail[DEV_HEADERS["contract_id"]],
        subject=str(make_header(decode_header(mail["Subject"] or ""))),
        text=_text(mail),
        fields=_fields(mail),
    )


def _text(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            words = part.get_payload(decode=True)
            assert isinstance(words, bytes)
            return words.decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n")
    return ""


def _date(mail: Message) -> datetime:
    try:
        date = parsedate_to_datetime(mail["Date"] or "")
    except ValueError:
        return datetime.now(JST)
    return date if date.tzinfo else datetime.now(JST)


def _fields(mail: Message) -> dict[str, str]:
    packed = mail[DEV_HEADERS["fields"]]
    fields: dict[str, str] = json.loads(base64.b64decode("".join(packed.split()))) if packed else {}
    return fields

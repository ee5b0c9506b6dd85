"""The mail server: takes every mail and puts it into the outbox."""

import asyncio
import base64
import json
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
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
    """Whoever wrote it: what of it nobody can read is marked or left out."""
    mail = message_from_bytes(content)
    own = {name: _header(mail, header) or None for name, header in DEV_HEADERS.items()}
    return Delivery(
        delivery_id=own["delivery_id"] or _header(mail, "Message-ID") or sha256(content).hexdigest(),
        at=_moment(own["at"] or "") or _date(_header(mail, "Date")),
        channel="mail",
        kind=own["kind"],
        to=to,
        email=to,
        contract_id=own["contract_id"],
        subject=_header(mail, "Subject"),
        text=_text(mail),
        fields=_fields(own["fields"] or ""),
    )


def _header(mail: Message, name: str) -> str:
    """In one line; "" where there is none."""
    try:
        parts = decode_header(mail[name] or "")
    except HeaderParseError:
        parts = [(str(mail[name]), None)]
    words = (part if isinstance(part, str) else _decoded(part, charset) for part, charset in parts)
    return " ".join("".join(words).split())


def _decoded(words: bytes, charset: str | None) -> str:
    """An unknown charset is taken for UTF-8."""
    try:
        return words.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return words.decode("utf-8", "replace")


def _text(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            words = part.get_payload(decode=True)
            assert isinstance(words, bytes)
            return _decoded(words, part.get_content_charset()).replace("\r\n", "\n")
    return ""


def _moment(written: str) -> datetime | None:
    """To the fraction of a second, which a Date leaves out: mails and letters of one second keep their order."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def _date(written: str) -> datetime:
    try:
        date = parsedate_to_datetime(written)
    except ValueError:
        return datetime.now(JST)
    return date if date.tzinfo else datetime.now(JST)


def _fields(packed: str) -> dict[str, str]:
    try:
        fields = json.loads(base64.b64decode("".join(packed.split())))
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}

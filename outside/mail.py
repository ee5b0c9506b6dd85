"""Notices by e-mail, over SMTP."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.header import Header
from email.message import Message
from email.mime.text import MIMEText
from email.utils import format_datetime
from hashlib import sha256

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused

from outside import texts
from outside.notice import DEV_HEADERS, Notice, PutOff, Undeliverable, Unreachable
from rules.fields import LOCAL
from settings import Settings

TIMEOUT = 10.0
"""Seconds that one step of a delivery may take; all of them together three times that."""

# Whatever else may stand before the @ needs quotes, and hardly any server takes it.
_ADDRESS = re.compile(rf"{LOCAL}@[A-Za-z0-9.-]+")


class Mailer:
    """Sends notices. No message of its exceptions says who was written to, or what."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, notice: Notice) -> None:
        """Hands the notice to the mail server.

        Raises Undeliverable where the address is none or its server refuses it for good, PutOff where it refuses
        this one mail for now, Unreachable where a later try may do better, and texts.BadField. A repeated delivery
        has the same Message-ID.
        """
        async with self.connected() as send:
            await send(notice)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Callable[[Notice], Awaitable[None]]]:
        """To hand over several notices, one after the other, over one connection; made with the first of them."""
        client = self._client()

        async def send(notice: Notice) -> None:
            message = self._message(notice)
            try:
                async with asyncio.timeout(3 * TIMEOUT):
                    if not client.is_connected:
                        await client.connect()
                    await client.send_message(message)
            except SMTPException as refusal:
                failure = _failure(refusal)
            except (OSError, TimeoutError) as error:
                failure = Unreachable(f"mail server: {type(error).__name__}")
            else:
                return
            raise failure  # outside the handler, so that no context with the address in it hangs on

        try:
            yield send
        finally:
            with suppress(SMTPException, OSError, TimeoutError):
                await client.quit()
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        password = settings.smtp_password
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            start_tls=settings.smtp_starttls,
            timeout=TIMEOUT,
        )

    def _message(self, notice: Notice) -> Message:
        """Built the older of Python's two ways: a month end sends very many, and the newer takes five times as long."""
        text = texts.with_details(notice)
        message = MIMEText(text.body, "plain", "utf-8")
        message["From"] = self._settings.mail_from
        message["To"] = _address(notice)
        message["Subject"] = _encoded(text.subject)
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = f"<{sha256(notice.delivery_id.encode()).hexdigest()[:40]}@{self._domain()}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = "ja, en" if notice.language == "both" else notice.language
        if not self._settings.production:
            _mark(message, notice)
        return message

    def _domain(self) -> str:
        return self._settings.mail_from.rpartition("@")[2].strip("> ") or "localhost"


def _address(notice: Notice) -> str:
    local, _, domain = (notice.to.email or "").rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        address = ""
    if not _ADDRESS.fullmatch(address):
        raise Undeliverable("there is no usable mail address")
    return f"{_encoded(notice.to.name)} <{address}>"


def _encoded(words: str) -> str:
    """On one line, however many a header then takes (RFC 2047)."""
    return Header(" ".join(words.split()), "utf-8").encode()


def _mark(message: Message, notice: Notice) -> None:
    for attribute in ("delivery_id", "contract_id", "kind"):
        message[DEV_HEADERS[attribute]] = getattr(notice, attribute)
    message[DEV_HEADERS["at"]] = notice.at.isoformat()
    packed = base64.b64encode(json.dumps(notice.fields).encode()).decode()
    message[DEV_HEADERS["fields"]] = "\n ".join(packed[i : i + 60] for i in range(0, len(packed), 60))


def _failure(refusal: SMTPException) -> Undeliverable | Unreachable:
    """Final only where this recipient or this text got a 5xx, its own matter only where it got a 4xx: our own sign-in
    and sender can be mended. Also 421, as some servers give it for one mailbox: one that closes for all takes no next."""
    if isinstance(refusal, SMTPRecipientsRefused):
        code = refusal.recipients[0].code
    elif isinstance(refusal, SMTPDataError):
        code = refusal.code
    else:
        return Unreachable(f"mail server: {type(refusal).__name__}")
    return Undeliverable(f"refused with {code}") if code >= 500 else PutOff(f"put off with {code}")

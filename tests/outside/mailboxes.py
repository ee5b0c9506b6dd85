"""A mail server of which each mailbox can be told how it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

FULL, UNKNOWN = "452 4.2.2 mailbox full", "550 5.1.1 no such mailbox"
CLOSING = "421 4.7.0 not now"
"""After this answer a server ends the connection."""


class Mailboxes:
    """`answers` says by address what RCPT is answered with, `texts` what the mail itself is, `sender` what MAIL is;
    `took` who got a mail, once for each Message-ID, and `asked` who was to get one, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.sender = "250 OK"
        self.port = 0
        self.asked: list[str] = []
        self._took: dict[bytes, list[str]] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mailboxes", loop=loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Takes no more connections; mail is sent by nobody at that moment."""
        if self._server:
            self._server.close()

    @property
    def took(self) -> list[str]:
        return sorted(one for took in self._took.values() for one in took[:1])

    @property
    def twice(self) -> list[str]:
        """Who got the same mail more than once."""
        return [took[0] for took in self._took.values() if len(took) > 1]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        envelope.rcpt_tos.append(address)
        return await _said(server, self.answers.get(address, "250 OK"))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        address, content = envelope.rcpt_tos[0], envelope.content
        answer = self.texts.get(address, "250 OK")
        if answer.startswith("250"):
            assert isinstance(content, bytes)
            name = next(line for line in content.splitlines() if line.startswith(b"Message-ID"))
            self._took.setdefault(name, []).append(address)
        return await _said(server, answer)


async def _said(server: SMTP, answer: str) -> str:
    if answer == CLOSING:
        await server.push(answer)
        assert server.transport is not None
        server.transport.close()
    return answer


@asynccontextmanager
async def mailboxes() -> AsyncIterator[Mailboxes]:
    """Every mailbox takes what comes, until it is told otherwise."""
    made = Mailboxes()
    await made.start()
    try:
        yield made
    finally:
        made.stop()

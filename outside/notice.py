"""What is to be told to whom: the one thing that mail and letters have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from outside.document import Block

JST = ZoneInfo("Asia/Tokyo")

Channel = Literal["mail", "post"]
Language = Literal["ja", "en", "both"]

KINDS = (
    "login",
    "opening_notice",
    "membership_link",
    "approval_number",
    "written_form",
    "authentication_key",
    "access_key",
    "return_reminder",
    "device_charge",
    "deletion_certificate",
    "statement",
    "carried_over_invoice",
    "suspension_notice",
    "suspended",
    "termination_notice",
    "terminated",
    "points_balance",
    "points_warning",
    "form_turned_down",
)

DEV_HEADERS = {
    "delivery_id": "X-Keiyaku-Delivery",
    "at": "X-Keiyaku-At",
    "contract_id": "X-Keiyaku-Contract",
    "kind": "X-Keiyaku-Kind",
    "fields": "X-Keiyaku-Fields",
}
"""Mail headers for the dev outbox; never in production, where a mail carries nothing but its text."""

_DELIVERY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


class Undeliverable(Exception):
    """The other side refused for good: the same notice sent again would be refused again."""


class Unreachable(Exception):
    """Nobody knows whether it arrived, or it did not: worth the same try again, with the same key."""


class PutOff(Unreachable):
    """The mailbox, or its server, takes this one not now: whoever else is written to is not concerned."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person and where to reach them; never printed by repr, so it cannot slip into a log."""

    name: str = field(repr=False)
    kind: Literal["individual", "corporate"] = field(default="individual", kw_only=True)
    email: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """One delivery. `delivery_id` names it: sent twice under the same ID it is the same mail or letter.

    `at` is the aware instant that the notice is dated. `fields` are what `texts.fields_of(kind)` asks for, as
    text: dates `YYYY-MM-DD`, months `YYYY-MM`, instants ISO 8601, sums in whole yen. `details` stand below the
    text: the lines of a bill. Raises ValueError for an unknown kind, a naive instant or an ID that could not be
    a file name.
    """

    delivery_id: str
    contract_id: str
    kind: str
    channel: Channel
    language: Language
    at: datetime
    to: Recipient
    fields: dict[str, str] = field(repr=False)
    details: tuple[Block, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of notice: {self.kind}")
        if not _DELIVERY_ID.fullmatch(self.delivery_id):
            raise ValueError("a delivery ID is 1 to 200 of letters, digits and . _ : -")
        if self.at.utcoffset() != timedelta(hours=9):
            raise ValueError("a notice is dated in Japan time")

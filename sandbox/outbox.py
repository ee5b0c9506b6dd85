"""Everything that left by mail and by post, each delivery once, to be looked at while trying things out."""

import base64
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outside.notice import JST, Channel


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail or letter as it arrived. `email` is where else its reader may look for it."""

    delivery_id: str
    at: datetime
    channel: Channel
    kind: str | None
    to: str
    email: str | None
    contract_id: str | None
    subject: str
    text: str
    fields: dict[str, str]


class BadCursor(ValueError):
    """Not a cursor that this outbox gave out."""


_QUERY = """
SELECT * FROM delivery WHERE (at, number) > (:at, :number)
  AND (:to IS NULL OR lower(recipient) = lower(:to) OR lower(email) = lower(:to)
       OR (channel = 'post' AND instr(recipient, :to)))
  AND (:kind IS NULL OR kind = :kind) AND (:contract_id IS NULL OR contract_id = :contract_id)
ORDER BY at, number LIMIT :limit
"""


class Outbox:
    """Mails are put in; letters are found in the print folder whenever somebody looks."""

    def __init__(self, shelf: sqlite3.Connection, print_dir: Path) -> None:
        self._shelf = shelf
        self._print_dir = print_dir
        letters = shelf.execute("SELECT delivery_id FROM delivery WHERE channel = 'post'")
        self._collected = {f"{row['delivery_id']}.json" for row in letters}

    def put(self, delivery: Delivery) -> None:
        """Keeps the delivery; the same one a second time changes nothing."""
        self._shelf.execute(
            "INSERT OR IGNORE INTO delivery (delivery_id, at, channel, kind, recipient, email, contract_id,"
            " subject, text, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                delivery.delivery_id,
                delivery.at.astimezone(JST).isoformat(),
                delivery.channel,
                delivery.kind,
                delivery.to,
                delivery.email,
                delivery.contract_id,
                delivery.subject,
                delivery.text,
                json.dumps(delivery.fields),
            ),
        )

    def find(
        self, to: str | None, kind: str | None, contract_id: str | None, limit: int, cursor: str | None
    ) -> dict[str, Any]:
        """Oldest first, as `GET /dev/v1/outbox` answers. Raises BadCursor."""
        self._collect()
        at, number = _place(cursor)
        wanted = {"to": to, "kind": kind, "contract_id": contract_id, "at": at, "number": number}
        rows = self._shelf.execute(_QUERY, wanted | {"limit": limit + 1}).fetchall()
        more = len(rows) > limit
        return {
            "items": [_item(row) for row in rows[:limit]],
            "next_cursor": _cursor(rows[limit - 1]) if more else None,
        }

    def _collect(self) -> None:
        for label in sorted(self._print_dir.glob("[!.]*.json")):
            if label.name not in self._collected:
                self.put(_letter(json.loads(label.read_text("utf-8"))))
                self._collected.add(label.name)


def _letter(label: dict[str, Any]) -> Delivery:
    return Delivery(
        delivery_id=label["delivery_id"],
        at=datetime.fromisoformat(label["at"]),
        channel="post",
        kind=label["kind"],
        to=label.get("to", ""),
        email=label.get("email"),
        contract_id=label["contract_id"],
        subject=label.get("subject", ""),
        text=label.get("text", ""),
        fields=label.get("fields", {}),
    )


def _item(row: sqlite3.Row) -> dict[str, Any]:
    names = ("at", "channel", "kind", "contract_id", "subject", "text")
    return {name: row[name] for name in names} | {"to": row["recipient"], "fields": json.loads(row["fields"])}


def _cursor(row: sqlite3.Row) -> str:
    return base64.urlsafe_b64encode(f"{row['at']} {row['number']}".encode()).decode()


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "", 0
    try:
        at, number = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(at).isoformat(), int(number)
    except ValueError:
        raise BadCursor from None

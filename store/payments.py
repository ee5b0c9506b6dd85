"""How contracts are paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from store.tables import PaymentRow
from store.write import table

_rows = table(PaymentRow)


def token(connection: Connection, payment_id: str) -> str:
    """The card token to be registered at the gateway."""
    found = select(_rows.c.card_token).where(_rows.c.payment_id == payment_id)
    return str(connection.execute(found).scalar_one())


def keep(connection: Connection, payment_id: str, card: dict[str, Any]) -> None:
    """What the gateway gave for the card: reference, brand and the last four digits."""
    connection.execute(update(_rows).where(_rows.c.payment_id == payment_id).values(**card))

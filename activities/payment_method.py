"""Cards at the payment gateway."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine
from temporalio import activity

from activities.outside import Outside
from outside.payments import Declined, Gateway
from rules.facts import Delivery
from store import payments


class Cards:
    def __init__(self, outside: Outside, gateway: Gateway) -> None:
        self._outside, self._gateway = outside, gateway

    @activity.defn(name="register_card")
    async def register_card(self, delivery: Delivery) -> str:
        """`card_taken` or `card_declined`. Raises Unreachable.

        The key is the delivery's, or that of its predecessor's, so the gateway does it once.
        """
        return await self._outside.once(delivery, lambda: self._register(delivery))

    async def _register(self, delivery: Delivery) -> str:
        payment_id, key = delivery.data["payment_id"], delivery.data.get("key", delivery.delivery_id)
        token = await asyncio.to_thread(_token, self._outside.engine, payment_id)
        try:
            card = await self._gateway.register_card(key, token)
        except Declined:
            return "card_declined"
        await asyncio.to_thread(_keep, self._outside.engine, payment_id, card._asdict())
        return "card_taken"


def _token(engine: Engine, payment_id: str) -> str:
    with engine.begin() as connection:
        return payments.token(connection, payment_id)


def _keep(engine: Engine, payment_id: str, card: dict[str, Any]) -> None:
    with engine.begin() as connection:
        payments.keep(connection, payment_id, card)

"""What answers about payments look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.shown import Listed, State


class PaidShare(BaseModel):
    billing_number: str
    period: str
    amount: int
    paid_on: date | None = Field(description="Null while some of the bill is still open")


class PaymentTaken(BaseModel):
    contract_id: str
    billing_number: str
    amount: int
    paid_at: datetime
    paid: list[PaidShare] = Field(description="What the money was for")
    over: int = Field(description="What is left of it after all open bills")
    state: State = Field(description="The contract's")


class Disclosure(BaseModel):
    contract_id: str
    purchase_id: str
    provider: str
    period: str
    amount: int
    at: datetime
    reason: Literal["unpaid"]


PAYMENT_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "post /operator/v1/contracts/{contract_id}/payments": ("201", PaymentTaken),
    "get /operator/v1/disclosures": ("200", Listed[Disclosure]),
}

"""What answers about statements look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.shown import Listed
from rules.statement import TaxClass


class BriefStatement(BaseModel):
    period: str = Field(description="`yyyy-mm`", examples=["2027-06"])
    total_with_tax: int
    due_on: date
    paid_on: date | None


class StatementLine(BaseModel):
    kind: Literal["monthly_fee", "purchase", "fee", "device", "deposit", "correction"]
    item: str
    text: str = Field(description="For people, in the language of `Accept-Language`")
    provider: str | None = Field(description="Of a purchase")
    amount: int = Field(
        description="Whole yen; its tax is in `tax`, but for purchases, which hold it already"
    )
    tax_class: TaxClass
    at: datetime


class Tax(BaseModel):
    tax_class: TaxClass
    base: int = Field(description="The sum of the lines of the class")
    rate: int = Field(description="Per cent; 0 where tax is included already, or none is due")
    amount: int = Field(description="On the sum, rounded down")


class Statement(BriefStatement):
    contract_id: str
    lines: list[StatementLine]
    subtotal: int = Field(description="The sum of the lines")
    tax: list[Tax] = Field(description="One entry for each class that stands on the statement")
    points_used: int
    invoice: Literal["line", "separate"] = Field(
        description="`separate`: purchases come as an invoice of their own"
    )
    payment_method: str
    billing_number: str


BILL_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    f"get {who}/contracts/{{contract_id}}/statements{which}": ("200", model)
    for who in ("/v1", "/operator/v1")
    for which, model in (("", Listed[BriefStatement]), ("/{month}", Statement))
}

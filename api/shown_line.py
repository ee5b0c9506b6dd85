"""What answers about lines look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.shown import Accepted, Listed, Procedure


class PassportId(BaseModel):
    passport_id: str
    name: str
    monthly_cap: int | None
    line_authentication: bool
    restricted: bool


class ToFinish(BaseModel):
    provider: str
    item: str


class DeletedPassportId(BaseModel):
    passport_id: str
    deleted_at: datetime
    finish_with: list[ToFinish]


class Bought(BaseModel):
    purchase_id: str
    at: datetime
    provider: str
    item: str
    kind: Literal["one_off", "monthly"]
    amount: int


class Taken(BaseModel):
    purchase_id: str


class AccessKey(BaseModel):
    contract_id: str
    issued_at: datetime


class Lot(BaseModel):
    granted_on: date
    lapses_on: date = Field(description="The last day on which they may be spent")
    left: int


class Points(BaseModel):
    balance: int
    lapsing_this_fiscal_year: int
    lots: list[Lot]


class Exchanged(BaseModel):
    exchange_id: str
    kind: Literal["bill_payment", "item"]
    item: str | None
    points: int
    balance: int = Field(description="What is left")


class IssuedKey(BaseModel):
    contract_id: str
    issued_at: datetime


class RegisteredKey(BaseModel):
    contract_id: str
    registered_at: datetime


class EasyEntryTaken(BaseModel):
    state: Literal["requested"]
    due_at: datetime = Field(description="By when an operator has checked it")


class Member(BaseModel):
    login_id: str
    member_since: datetime


_IDS = "/v1/contracts/{contract_id}/passport-ids"
LINE_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "get /v1/contracts/{contract_id}/points": ("200", Points),
    "post /v1/contracts/{contract_id}/point-exchanges": ("201", Exchanged),
    "post /v1/contracts/{contract_id}/authentication-keys": ("201", IssuedKey),
    "post /v1/contracts/{contract_id}/authentication-keys/registration": ("201", RegisteredKey),
    "post /v1/contracts/{contract_id}/membership": ("202", Accepted),
    "post /v1/memberships": ("202", EasyEntryTaken),
    "post /v1/memberships/{link_token}": ("200", Member),
    f"post {_IDS}": ("201", PassportId),
    f"get {_IDS}": ("200", Listed[PassportId]),
    f"patch {_IDS}/{{passport_id}}": ("200", PassportId),
    f"delete {_IDS}/{{passport_id}}": ("200", DeletedPassportId),
    "get /v1/contracts/{contract_id}/purchases": ("200", Listed[Bought]),
    "post /v1/purchases": ("201", Taken),
    "post /operator/v1/contracts/{contract_id}/access-key": ("200", AccessKey),
    "post /operator/v1/conversions/{number}/take-up": ("200", Procedure),
    "post /operator/v1/conversions/{number}/switch-over": ("200", Procedure),
}

"""What answers about lines look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from api.shown import Listed, Procedure


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


_IDS = "/v1/contracts/{contract_id}/passport-ids"
LINE_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
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

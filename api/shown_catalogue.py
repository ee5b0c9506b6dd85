"""What the catalogue looks like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class SoldPlan(BaseModel):
    plan: str
    name: str
    monthly_fee: int


class SoldCourse(BaseModel):
    course: str
    name: str
    months: int
    deposit: int


class SoldOption(BaseModel):
    option: str
    name: str
    premium: bool
    for_sim: bool
    monthly_fee: int


class Fee(BaseModel):
    item: str
    amount: int


class SoldItem(BaseModel):
    item: str
    name: str
    points: int


class Catalogue(BaseModel):
    plans: list[SoldPlan]
    courses: list[SoldCourse]
    support_options: list[SoldOption]
    line_types: list[dict[str, Any]]
    storage_plans: list[dict[str, Any]]
    point_items: list[SoldItem]
    fees: list[Fee] = Field(description="Whole yen without tax")


CATALOGUE_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {"get /v1/catalogue": ("200", Catalogue)}

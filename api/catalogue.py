"""What is sold, and at what price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.language import language
from rules import policy
from rules.texts import Language

router = APIRouter(tags=["Catalogue"])


@router.get("/v1/catalogue", summary="Plans, courses, options and fees")
async def catalogue(request: Request) -> dict[str, Any]:
    words = language(request)
    sold = policy.current()
    lists: dict[str, Sequence[BaseModel]] = {
        "plans": sold.plans,
        "courses": sold.courses,
        "support_options": sold.support_options,
        "line_types": sold.line_types,
        "point_items": sold.point_items,
    }
    shown = {name: [_named(item.model_dump(), words) for item in items] for name, items in lists.items()}
    later: dict[str, list[Any]] = {"storage_plans": []}
    fees = [{"item": item, "amount": amount} for item, amount in sold.fees.model_dump().items()]
    return {**shown, **later, "fees": fees}


def _named(item: dict[str, Any], words: Language) -> dict[str, Any]:
    return item | {"name": item["name"][words]}

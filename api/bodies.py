"""Request bodies: strict JSON models, read after the caller is known, described in the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from api.problems import Problem, faults, invalid

M = TypeVar("M", bound="Body")
LARGEST = 64 * 1024


class Body(BaseModel):
    """Types are strict, unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


async def read(request: Request, model: type[M]) -> M:
    """The body as `model`. Raises 413 for a huge one, 422 for anything malformed, each fault named by field."""
    value = await _json(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(faults(error)) from None


async def _json(request: Request) -> Any:
    raw = await limited(request)
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid([{"field": "", "detail": "not JSON"}]) from None
    if _has_lone_surrogate_or_nul(value):
        raise invalid([{"field": "", "detail": "characters that no text may hold"}])
    return value


async def limited(request: Request) -> bytes:
    """The raw body. Raises 413 as soon as it is too long."""
    if int(request.headers.get("content-length") or 0) > LARGEST:
        raise Problem(413, "too_large")
    raw = await request.body()
    if len(raw) > LARGEST:
        raise Problem(413, "too_large")
    return raw


def _has_lone_surrogate_or_nul(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def takes(
    model: type[BaseModel] | None, example: dict[str, Any] | None = None, required: bool = True
) -> dict[str, Any]:
    """`openapi_extra` for an endpoint that reads `model`."""
    if model is None:
        return {}
    content = {
        "schema": {"$ref": f"#/components/schemas/{model.__name__}"},
        **({"example": example} if example else {}),
    }
    MODELS[model.__name__] = model
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


MODELS: dict[str, type[BaseModel]] = {}

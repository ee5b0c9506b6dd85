"""Request bodies: strict JSON models, read after the caller is known, described in the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from api import faults
from api.faults import Fault, unfit
from api.guard import whole
from api.problems import invalid, wrong
from rules.calendar import YEARS

M = TypeVar("M", bound="Body")


def _text(given: object) -> object:
    # Lax models, which take a text for an instant, would take a number too.
    if not isinstance(given, str) or not re.match(r"\d{4}-\d\d-\d\dT", given):
        raise unfit("instant")
    return given


def _imaginable(to: datetime) -> datetime:
    if not YEARS[0] <= to.year <= YEARS[1]:
        raise unfit("too_far", first=YEARS[0], last=YEARS[1])
    return to


Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text), AfterValidator(_imaginable)]


class Body(BaseModel):
    """Types are strict, unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


async def read(request: Request, model: type[M]) -> M:
    """The body as `model`. Raises 413 for a huge one, 422 for anything malformed, each fault named by field."""
    value = await _json(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(faults.found(error)) from None


async def read_one_of(request: Request, tag: str, models: Mapping[str, type[M]]) -> M:
    """The body as the model that its field `tag` names. Raises 413 and 422 as `read` does."""
    value = await _json(request)
    given = value.get(tag) if isinstance(value, dict) else None
    if not isinstance(given, str) or given not in models:
        raise wrong(tag, "one_of", known=", ".join(models))
    return await read(request, models[given])


async def _json(request: Request) -> Any:
    raw = await whole(request)
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
        unspeakable = list(_unspeakable(value))
    except (ValueError, RecursionError):
        raise wrong("", "not_json") from None
    if unspeakable:
        raise invalid([Fault(place, "unspeakable") for place in unspeakable])
    return value


def _unspeakable(value: Any, place: str = "") -> Iterator[str]:
    """Where a NUL or a lone surrogate stands: the field; the object, where it is in a field's own name."""
    if _cannot_be_said(value):
        yield place
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if _cannot_be_said(name):
            yield place
        else:
            yield from _unspeakable(part, f"{place}.{name}" if place else str(name))


def _cannot_be_said(value: Any) -> bool:
    return isinstance(value, str) and any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value)


MODELS: list[type[BaseModel]] = []


def takes(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` for an endpoint that reads `model`."""
    return _takes({"schema": _reference(model), "example": example}, required=True)


def takes_one_of(
    bodies: Mapping[str, tuple[type[BaseModel], dict[str, Any]]], required: bool = True
) -> dict[str, Any]:
    """`openapi_extra` for an endpoint that reads one of several models, each by name with an example."""
    schema = {"anyOf": [_reference(model) for model, _ in bodies.values()]}
    examples = {name: {"value": example} for name, (_, example) in bodies.items()}
    return _takes({"schema": schema, "examples": examples}, required)


def _reference(model: type[BaseModel]) -> dict[str, str]:
    if model not in MODELS:
        MODELS.append(model)
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _takes(content: dict[str, Any], required: bool) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {"application/json": content}}}

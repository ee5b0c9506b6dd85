"""Lists: `limit` and `cursor` in, `items` and `next_cursor` out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query, Request

from api.problems import invalid

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


def asked(request: Request) -> tuple[int, int]:
    """Limit and offset. Raises 422."""
    limit = _number(request.query_params.get("limit", "50"), 1, 200, "limit")
    cursor = request.query_params.get("cursor")
    return limit, _offset(cursor) if cursor is not None else 0


def page(rows: Sequence[T], limit: int, offset: int, show: Callable[[T], Any]) -> dict[str, Any]:
    """A page of `rows`, which start at `offset` and go at least one beyond the limit where there are more."""
    following = offset + limit if len(rows) > limit else None
    cursor = base64.urlsafe_b64encode(str(following).encode()).decode() if following else None
    return {"items": [show(row) for row in rows[:limit]], "next_cursor": cursor}


def page_of_all(rows: Sequence[T], request: Request, show: Callable[[T], Any]) -> dict[str, Any]:
    """A page of a list that is read whole."""
    limit, offset = asked(request)
    return page(rows[offset:], limit, offset, show)


def _number(text: str, least: int, most: int, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise invalid([{"field": field, "detail": f"a whole number from {least} to {most}"}])
    return int(text)


def _offset(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    return _number(text, 1, 10**8, "cursor")

"""Lists: `limit` and `cursor` in, `items` and `next_cursor` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import Request

from api.problems import Problem, wrong

T = TypeVar("T")
Place = tuple[datetime, str]
"""Where an item stands in a list that changes while it is read: its instant, and its ID among those of the same."""


def asked(request: Request) -> tuple[int, Place | None]:
    """Limit, and the place after which to go on. Raises 422."""
    cursor = request.query_params.get("cursor")
    return _limit(request), _place(cursor) if cursor is not None else None


def page(
    rows: Sequence[T], limit: int, place: Callable[[T], Place], show: Callable[[T], Any]
) -> dict[str, Any]:
    """A page of `rows`, which go at least one beyond the limit where there are more."""
    shown, more = rows[:limit], len(rows) > limit
    return {
        "items": [show(row) for row in shown],
        "next_cursor": _cursor(*place(shown[-1])) if more else None,
    }


def page_of_all(rows: Sequence[T], request: Request, show: Callable[[T], Any]) -> dict[str, Any]:
    """A page of a list that is read whole, and that grows at its end only. Raises 422."""
    limit, cursor = _limit(request), request.query_params.get("cursor")
    offset = _number(_decoded(cursor), 1, 10**8, "cursor") if cursor is not None else 0
    following = offset + limit
    return {
        "items": [show(row) for row in rows[offset:following]],
        "next_cursor": _encoded(str(following)) if len(rows) > following else None,
    }


def _limit(request: Request) -> int:
    return _number(request.query_params.get("limit", "50"), 1, 200, "limit")


def _number(text: str, least: int, most: int, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise wrong(field, "whole_number", least=least, most=most)
    return int(text)


def _cursor(at: datetime, name: str) -> str:
    return _encoded(f"{at.isoformat()} {name}")


def _place(cursor: str) -> Place:
    at, _, name = _decoded(cursor).partition(" ")
    try:
        place = datetime.fromisoformat(at), name
        if place[0].tzinfo and name.isprintable() and place[0].astimezone(UTC):
            return place
    except (ValueError, OverflowError):  # the latter of an instant before the first one in UTC
        pass
    raise _no_cursor()


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise _no_cursor() from None


def _no_cursor() -> Problem:
    return wrong("cursor", "cursor")

"""Which language the caller reads."""

from __future__ import annotations

from fastapi import Request

from rules.texts import Language


def language(request: Request) -> Language:
    """`ja` unless the caller prefers English (Accept-Language, by weight)."""
    weights = {"ja": 0.0, "en": 0.0}
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, parameters = part.strip().partition(";")
        known = tag.strip().lower()[:2]
        if known in weights:
            weights[known] = max(weights[known], _weight(parameters))
    return "en" if weights["en"] > weights["ja"] else "ja"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0

"""Which language the caller reads."""

from __future__ import annotations

from fastapi import Request

from rules.texts import Language

UNSAID, NEVER = 0.0, -1.0


def language(request: Request) -> Language:
    """`ja` unless the caller prefers English (Accept-Language, by weight); `*` is for each that is not named."""
    weights: dict[str, float] = {}
    for part in ",".join(request.headers.getlist("accept-language")).split(","):
        tag, *parameters = part.lower().split(";")
        name, weight = tag.strip().partition("-")[0], _weight(parameters)
        weights[name] = max(weight, weights.get(name, NEVER))
    others = weights.get("*", UNSAID)
    return "en" if weights.get("en", others) > weights.get("ja", others) else "ja"


def _weight(parameters: list[str]) -> float:
    """From 0 to 1, and less than that of a language which nobody named where it is not wanted at all."""
    values = [value for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "q"]
    try:
        weight = float(values[0]) if values else 1.0
    except ValueError:
        return UNSAID
    return (weight or NEVER) if 0 <= weight <= 1 else UNSAID

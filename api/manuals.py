"""Manuals to download, as PDF in the reader's language (RNT-1)."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from api.callers import customer
from api.language import language
from api.pages import page_of_all
from api.problems import not_found
from api.service import service
from outside.document import pdf
from rules import policy
from rules.calendar import midnight
from rules.texts import Language

router = APIRouter(tags=["Manuals"])
_FILE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("manuals.toml").read_text(encoding="utf-8"))
MANUALS: dict[str, dict[str, Any]] = {manual["manual"]: manual for manual in _FILE["manuals"]}
EDITION: date = _FILE["edition"]


@router.get("/v1/manuals", summary="Manuals to download")
async def manuals(request: Request) -> dict[str, Any]:
    """Each with a link to its PDF, which takes the same token."""
    customer(request)
    words, base = language(request), service(request).settings.public_url.rstrip("/")
    return page_of_all(
        list(MANUALS.values()),
        request,
        lambda manual: {
            "manual": manual["manual"],
            "name": manual[words]["name"],
            "link": f"{base}/v1/manuals/{manual['manual']}.pdf",
        },
    )


@router.get("/v1/manuals/{manual}.pdf", summary="A manual")
async def manual(request: Request, manual: str) -> Response:
    customer(request)
    if manual not in MANUALS:
        raise not_found()
    found, words = policy.current(), language(request)
    figures = {**found.device_return.model_dump(), **found.fees.model_dump()}
    text = tuple(line.format(**figures) for line in MANUALS[manual][words]["text"])
    return Response(
        await run_sync(_pdf, MANUALS[manual][words]["name"], text, words), media_type="application/pdf"
    )


@cache
def _pdf(name: str, text: tuple[str, ...], words: Language) -> bytes:
    return pdf(name, text, words, midnight(EDITION))

"""Notices to try things with."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from outside import texts
from outside.notice import JST, Notice, Recipient

AT = datetime(2026, 7, 11, 9, 30, tzinfo=JST)
HANAKO = Recipient("髙﨑 花子", "hanako@example.jp", "1000001", "東京都千代田区千代田1-1")
SAMPLES = {
    "": "AB12cd34",
    "date": "2026-07-10",
    "month": "2026-06",
    "moment": "2026-07-10T17:00:00+09:00",
    "yen": "18000",
    "points": "1200",
}


def notice(kind: str = "login", **other: Any) -> Notice:
    """A good notice of the kind, in Japanese and by mail unless told otherwise."""
    fields = {name: SAMPLES[spec] for name, spec in texts.fields_of(kind).items()}
    plain = Notice(f"d-{uuid4()}", f"ct-{uuid4()}", kind, "mail", "ja", AT, HANAKO, fields)
    return replace(plain, **other)

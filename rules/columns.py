"""What may stand in a column of a file of contracts that is brought in; docs/importing.md says it in words."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from rules.calendar import YEARS
from rules.fields import MonthlyCap, Words


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or not YEARS[0] <= int(text[:4]) <= YEARS[1]:
        raise ValueError(f"a day like 2026-04-01, from {YEARS[0]} to {YEARS[1]}")
    return date.fromisoformat(text)


def _lots(text: str) -> dict[date, int]:
    """From `2026-04-01:200;2026-05-01:300`."""
    found: dict[date, int] = {}
    for lot in filter(None, (part.strip() for part in text.split(";"))):
        day, _, number = lot.partition(":")
        if not re.fullmatch(r"[0-9]{1,7}", number) or not int(number) or _day(day) in found:
            raise ValueError("lots like 2026-04-01:200;2026-05-01:300, each day once")
        found[_day(day)] = int(number)
    return found


def _yes_or_no(text: str) -> bool:
    """Of two words alone: what else might mean yes or no might also be of another column. Excel writes them large."""
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.lower() == "true"


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("a number in digits alone")
    return int(text)


def _password(text: str) -> str:
    if text.strip().startswith("$") and not fit_hash(text):
        raise ValueError("a hash that is none of Argon2id with at most 64 MiB and 10 rounds")
    return text


def fit_hash(text: str) -> bool:
    """Whether it is a password's hash already, of a kind that a sign-in can afford to check."""
    found = re.fullmatch(
        r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=[1-4]\$[\w+/]{11,64}\$[\w+/]{22,128}", text
    )
    return found is not None and int(found[1]) <= 65536 and 1 <= int(found[2]) <= 10


Day = Annotated[date, BeforeValidator(_day)]
Lots = Annotated[dict[date, int], BeforeValidator(_lots)]
YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Cap = Annotated[MonthlyCap, BeforeValidator(_number)]
Name = Annotated[Words, StringConstraints(max_length=100)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_password)]

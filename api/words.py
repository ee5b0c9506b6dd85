"""The texts of words.toml, checked when they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rules.texts import Language

_WORDS: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
_INCOMPLETE = [
    key for section in _WORDS.values() for key, both in section.items() if set(both) != {"ja", "en"}
]
if _INCOMPLETE:
    raise ValueError(f"not in both languages: {', '.join(_INCOMPLETE)}")


def title(status: int, language: Language) -> str:
    """What a status means; that of 500 for one without words."""
    return _WORDS["title"].get(str(status), _WORDS["title"]["500"])[language]


def detail(reason: str, language: Language) -> str:
    """What happened and what to do."""
    return _WORDS["detail"][reason][language]


def fault(how: str, field: str, language: Language, values: Mapping[str, Any]) -> str:
    """What is wrong with a field. Where a pattern says how it is written, the field's own words say it to people."""
    both = _WORDS["fault"].get(how, _WORDS["fault"]["other"])
    if how == "string_pattern_mismatch":
        both = _WORDS["form"].get(field, both)
    return both[language].format_map(values)

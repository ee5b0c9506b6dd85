"""The words of every notice: read from texts.toml, checked at import, filled in for one customer."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from string import Formatter
from typing import Any, Literal, NamedTuple

from outside.document import Table
from outside.notice import JST, KINDS, Language, Notice
from rules.texts import addressed

ALWAYS = frozenset({"name", "contract_id"})
NOTHING_DUE = "statement_nothing_due"
"""The text of a statement that leaves nothing to pay."""
DIVIDER = "-" * 40


class BadField(ValueError):
    """A notice lacks a field, or has it in a wrong form. Names kind and field, never what was in it."""


class Text(NamedTuple):
    """A notice in words, ready for mail or paper."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class _Language:
    """How one language writes what is not text."""

    day: Callable[[date], str]
    month: Callable[[date], str]
    yen: str
    points: str


_LANGUAGES: dict[str, _Language] = {
    "ja": _Language(
        day=lambda d: f"{d.year}年{d.month}月{d.day}日",
        month=lambda d: f"{d.year}年{d.month}月",
        yen="{:,}円",
        points="{:,}ポイント",
    ),
    "en": _Language(
        day=lambda d: f"{d.day} {d:%B} {d.year}",
        month=lambda d: f"{d:%B} {d.year}",
        yen="¥{:,}",
        points="{:,} points",
    ),
}


def day(on: date, language: Language) -> str:
    """A date as a customer reads it; in Japanese where both languages are asked for."""
    return _LANGUAGES["en" if language == "en" else "ja"].day(on)


def _moment(value: str, language: _Language) -> str:
    at = datetime.fromisoformat(value).astimezone(JST)
    return f"{language.day(at)} {at:%H:%M}"


_SPECS: dict[str, Callable[[str, _Language], str]] = {
    "": lambda value, _: value,
    "date": lambda value, language: language.day(date.fromisoformat(value)),
    "month": lambda value, language: language.month(date.fromisoformat(f"{value}-01")),
    "moment": _moment,
    "yen": lambda value, language: "-" * (int(value) < 0) + language.yen.format(abs(int(value))),
    "points": lambda value, language: language.points.format(int(value)),
}


def _placeholders(template: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None}


def _fill(kind: str, template: str, values: Mapping[str, str], language: str) -> str:
    parts = []
    for literal, name, spec, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_written(kind, name, spec or "", values, _LANGUAGES[language]))
    return "".join(parts)


def _written(kind: str, name: str, spec: str, values: Mapping[str, str], language: _Language) -> str:
    if name not in values:
        raise BadField(f"{kind}: the field {name} is missing")
    try:
        return _SPECS[spec](values[name], language)
    except ValueError:
        raise BadField(f"{kind}: the field {name} is no {spec}") from None


def check(raw: Mapping[str, Any]) -> None:
    """Raises ValueError, naming the kind, unless every kind has both languages with the same fields."""
    needed = {"frame", NOTHING_DUE, *KINDS}
    if set(raw) != needed:
        raise ValueError(f"kinds without a text, or texts without a kind: {set(raw) ^ needed}")
    for language in ("ja", "en"):
        if _placeholders(raw["frame"][language]) != {("name", ""), ("body", ""), ("contract_id", "")}:
            raise ValueError(f"the {language} frame needs name, body and contract_id")
    for kind in (*KINDS, NOTHING_DUE):
        _check_kind(kind, raw[kind])


def _check_kind(kind: str, texts: Mapping[str, Any]) -> None:
    if set(texts) != {"ja", "en"} or any(set(text) != {"subject", "body"} for text in texts.values()):
        raise ValueError(f"{kind}: needs subject and body in ja and in en, and nothing else")
    ja, en = (_placeholders(texts[lang]["subject"] + texts[lang]["body"]) for lang in ("ja", "en"))
    if ja != en:
        raise ValueError(f"{kind}: the languages differ in {sorted(name for name, _ in ja ^ en)}")
    if unknown := {spec for _, spec in ja} - set(_SPECS):
        raise ValueError(f"{kind}: nobody knows how to write {sorted(unknown)}")


_TEXTS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "texts.toml").read_text("utf-8"))
check(_TEXTS)


def fields_of(kind: str) -> dict[str, str]:
    """The fields that a notice of this kind must bring, each with how it is written: "", "date", "yen", …"""
    text = _TEXTS[kind]["ja"]
    return {name: spec for name, spec in _placeholders(text["subject"] + text["body"]) if name not in ALWAYS}


def render(notice: Notice) -> Text:
    """The notice in its language, or in Japanese and then English (BIL-4). Raises BadField."""
    if notice.language != "both":
        return _render(notice, notice.language)
    ja, en = _render(notice, "ja"), _render(notice, "en")
    return Text(f"{ja.subject} / {en.subject}", f"{ja.body}\n\n{DIVIDER}\n\n{en.body}")


def _render(notice: Notice, language: Literal["ja", "en"]) -> Text:
    name = addressed(notice.to.name, notice.to.kind, language)
    values = {**notice.fields, "name": name, "contract_id": notice.contract_id}
    text = _TEXTS[NOTHING_DUE if _nothing_due(notice) else notice.kind][language]
    body = _fill(notice.kind, text["body"], values, language).strip()
    framed = _fill(notice.kind, _TEXTS["frame"][language], {**values, "body": body}, language)
    return Text(_fill(notice.kind, text["subject"], values, language), framed.strip())


def _nothing_due(notice: Notice) -> bool:
    """A bill of nothing, or of less, asks for no payment and names no day (BIL-3)."""
    total = notice.fields.get("total_with_tax", "")
    return notice.kind == "statement" and (total == "0" or total.startswith("-"))


def with_details(notice: Notice) -> Text:
    """As `render`, and what stands below it on paper, row by row."""
    text = render(notice)
    rows = (
        "\n".join("  ".join(row) for row in block.rows) if isinstance(block, Table) else block
        for block in notice.details
    )
    return Text(text.subject, "\n\n".join((text.body, *rows)))

"""What is said to people, in Japanese and in English: read from texts.toml once, checked when it is read."""

from __future__ import annotations

import tomllib
from calendar import month_name
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any, Literal, NamedTuple

from rules import policy
from rules.calendar import JST, day_of
from rules.effects import Effect
from rules.figures import Policy
from rules.refusal import Refusal

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")
SECTIONS = frozenset({"rule", "reason", "effect", "entry", "line", "name"})
_DATE = {"ja": "{0.year}年{0.month}月{0.day}日", "en": "{0.day} {0:%B} {0.year}"}
_MONTH = {"ja": "{0.year}年{0.month}月", "en": "{0:%B} {0.year}"}
_YEN = {"ja": "{:,}円", "en": "¥{:,}"}
_HONORIFIC = {"individual": "様", "corporate": "御中"}
_TAX_COMES_ON_TOP = {"ja": "（税抜）", "en": " plus tax"}
_NO_DATE = {"ja": "未定の日", "en": "a day not known yet"}


class Words(NamedTuple):
    """A refusal for people: `title` what the rule is about, `detail` what happened and what to do."""

    title: str
    detail: str


def of(refusal: Refusal, language: Language) -> Words:
    """The words of `refusal`. Raises KeyError for a reason that has no text."""
    data = {**refusal.data, "opens_at": refusal.opens_at}
    return Words(rule_title(refusal.rule, language), detail(refusal.reason, language, **data))


def rule_title(rule: str, language: Language) -> str:
    """What the rule is about; "" for what no rule says."""
    return _TEXTS["rule"][rule or "general"][language]


def detail(reason: str, language: Language, **data: Any) -> str:
    """What happened and what to do. `data`: that of the refusal, and its `opens_at`."""
    return _fill(_TEXTS["reason"][reason][language], {**_figures(), **data}, language)


def effect(effect: Effect, language: Language, **named: Any) -> str:
    """One sentence with its date (the last day, where something ends) and its yen; `named`: what its IDs stand for."""
    nameless = dict.fromkeys(("name", "provider", "item"), "–")
    values = {**_figures(), "at": None, **nameless, **effect.model_dump(exclude_none=True), **named}
    return _fill(_TEXTS["effect"][effect.what][language], values, language)


def entry(what: str, data: Mapping[str, Any], language: Language) -> str:
    """A line of the timeline."""
    return _fill(_TEXTS["entry"][what][language], data, language)


def line(kind: str, item: str, figures: Policy, language: Language, provider: str | None = None) -> str:
    """What a line of a statement is for. What is sold is called as in the policy by which the month was closed."""
    values = {"item": item, "provider": provider or "–", "sold": _sold(item, figures, language)}
    return _fill(_TEXTS["line"][kind][language], values, language)


def name(code: str, language: Language) -> str:
    """The name of a state, event, kind, task, payment method or notice; the code itself where it has none."""
    known = _TEXTS["name"].get(code)
    return known[language] if known else code


def addressed(person: str, kind: str, language: Language) -> str:
    """A customer's name with what courtesy asks for: in Japanese a company is called otherwise than a person."""
    return f"{person} {_HONORIFIC[kind]}" if language == "ja" else person


def texts(section: str) -> frozenset[str]:
    """What has a text in that section of the file."""
    return frozenset(_TEXTS[section])


def _figures() -> dict[str, Any]:
    now = policy.current()
    closed = now.year_end
    return {
        **now.windows.model_dump(),
        "conversion_opens": now.conversion.opens,
        "conversion_closes": now.conversion.closes,
        "access_key_opens": now.access_key.opens,
        "access_key_closes": now.access_key.closes,
        "closed_from": (closed.first_month, closed.first_day),
        "closed_to": (closed.last_month, closed.last_day),
    }


def _day(value: Any, language: Language, formats: Mapping[str, str], shift: int = 0) -> str:
    if value is None:
        return _NO_DATE[language]
    day = day_of(value) if isinstance(value, datetime) else date.fromisoformat(str(value))
    return formats[language].format(day - timedelta(days=shift))


def _moment(value: Any, language: Language) -> str:
    if value is None:
        return _NO_DATE[language]
    at = value.astimezone(JST)
    written = f"{_day(at, language, _DATE)} {at:%H:%M}"
    return written if language == "ja" else f"{written} (Japan time)"


def _time(value: Any, language: Language) -> str:
    if language == "en":
        return f"{value.hour}:{value:%M}"
    return f"{value.hour}時{value.minute}分" if value.minute else f"{value.hour}時"


def _every_year(value: Any, language: Language) -> str:
    month, day = value
    return f"{month}月{day}日" if language == "ja" else f"{day} {month_name[month]}"


def _nth(value: Any, language: Language) -> str:
    number = int(value)
    if language == "ja":
        return f"{number}日"
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _plus_tax(item: Any, language: Language) -> str:
    """A deposit is not a price: no tax comes on top of it."""
    return "" if item == "deposit" else _TAX_COMES_ON_TOP[language]


def _of_policy(table: str, key: str) -> Callable[[Any, Language], str]:
    """The name of what is sold stands in the policy; what is sold no more is named by its code."""

    def named(code: Any, language: Language) -> str:
        return _named(policy.current(), table, key, code, language) or str(code)

    return named


def _named(figures: Policy, table: str, key: str, code: Any, language: Language) -> str | None:
    found = (one for one in getattr(figures, table) if getattr(one, key) == code)
    return next((str(getattr(one.name, language)) for one in found), None)


def _sold(code: str, figures: Policy, language: Language) -> str:
    """The name of a plan, a line type or a support option."""
    tables = (("plans", "plan"), ("line_types", "line_type"), ("support_options", "option"))
    names = (_named(figures, table, key, code, language) for table, key in tables)
    return next((name for name in names if name), code)


_SPECS: dict[str, Callable[[Any, Language], str]] = {
    "": lambda value, _: str(value),
    "date": lambda value, language: _day(value, language, _DATE),
    "last_day": lambda value, language: _day(value, language, _DATE, shift=1),
    "month": lambda value, language: _day(value, language, _MONTH),
    "moment": _moment,
    "nth": _nth,
    "time": _time,
    "every_year": _every_year,
    "yen": lambda value, language: _YEN[language].format(int(value)),
    "name": lambda value, language: name(str(value), language),
    "fee": lambda value, language: name(f"fee_{value}", language),
    "plus_tax": _plus_tax,
    "plan": _of_policy("plans", "plan"),
    "course": _of_policy("courses", "course"),
    "option": _of_policy("support_options", "option"),
}


def _fill(template: str, values: Mapping[str, Any], language: Language) -> str:
    parts = []
    for literal, field, spec, _ in Formatter().parse(template):
        parts.append(literal)
        if field is not None:
            parts.append(_SPECS[spec or ""](values[field], language))
    return "".join(parts)


def fields(template: str) -> frozenset[tuple[str, str]]:
    """Each field of a text with how it is written."""
    parsed = Formatter().parse(template)
    return frozenset((field, spec or "") for _, field, spec, _ in parsed if field is not None)


def check(raw: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """`raw`. Raises ValueError, naming the text, unless each has both languages with the same fields."""
    if set(raw) != SECTIONS:
        raise ValueError(f"sections that are missing or unknown: {sorted(set(raw) ^ SECTIONS)}")
    for section, known in raw.items():
        for code, text in known.items():
            _check_one(f"{section}.{code}", text)
    return dict(raw)


def _check_one(where: str, text: Any) -> None:
    if not isinstance(text, dict) or set(text) != set(LANGUAGES) or not all(text.values()):
        raise ValueError(f"{where}: needs ja and en, and nothing else")
    ja, en = fields(text["ja"]), fields(text["en"])
    if ja != en:
        raise ValueError(f"{where}: the languages differ in {sorted(field for field, _ in ja ^ en)}")
    if unknown := {spec for _, spec in ja} - set(_SPECS):
        raise ValueError(f"{where}: nobody knows how to write {sorted(unknown)}")


_TEXTS = check(tomllib.loads((Path(__file__).parent / "texts.toml").read_text("utf-8")))

"""Statements and receipts on paper, in the reader's language."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

from outside.document import Block, Table, pdf
from rules import jobs, texts
from rules.calendar import JST, midnight
from rules.texts import Language

_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("statement_words.toml").read_text(encoding="utf-8")
)
_WIDTHS = (22, 98, 24, 26)
_SUMS = (144, 26)


def statement(shown: dict[str, Any], name: str, words: Language) -> bytes:
    """The statement that `rules.statement_shown` tells, for the customer who is addressed so."""
    said = _WORDS[words]
    period, number = _month(shown["period"], words), shown["billing_number"]
    title = said["title"].format(month=period)
    head = [
        name,
        said["numbers"].format(contract_id=shown["contract_id"], billing_number=number),
        said["total"].format(total=_yen(shown["total_with_tax"], words)),
        _payment(shown, words),
    ]
    made_on = midnight(jobs.following(shown["period"]))
    return pdf(title, ["\n".join(head), *details(shown, words)], words, made_on)


def _payment(shown: dict[str, Any], words: Language) -> str:
    """How it is paid, and by when; or since when it is paid."""
    if shown["total_with_tax"] <= 0:
        return _WORDS[words]["none_due"]
    method = texts.name(shown["payment_method"], words)
    paid = shown["paid_on"]
    key = "paid" if paid else "due"
    return _WORDS[words][key].format(method=method, day=_day(paid or shown["due_on"], words))


def details(shown: dict[str, Any], words: Language) -> list[Block]:
    """The lines and what they come to; purchases apart where they are an invoice of their own (MAT-6)."""
    ours = [line for line in shown["lines"] if line["kind"] != "purchase"]
    bought = [line for line in shown["lines"] if line["kind"] == "purchase"]
    said = _WORDS[words]
    blocks: list[Block] = []
    if shown["invoice"] == "separate":
        blocks += [said["line_bill"], _lines(ours, words)] if ours else []
        blocks += [said["separate"], _lines(bought, words)]
    else:
        blocks += [_lines([*ours, *bought], words)] if shown["lines"] else [said["nothing"]]
    return [*blocks, _sums(shown, words)]


def _lines(lines: list[dict[str, Any]], words: Language) -> Table:
    said = _WORDS[words]
    rows = [
        (
            line["at"][5:10].replace("-", "/"),
            line["text"],
            said[line["tax_class"]],
            _yen(line["amount"], words),
        )
        for line in lines
    ]
    return Table([(said["date"], said["what"], said["tax_class"], said["amount"]), *rows], _WIDTHS)


def _sums(shown: dict[str, Any], words: Language) -> Table:
    said = _WORDS[words]
    rows = [(said["subtotal"], _yen(shown["subtotal"], words))]
    for tax in shown["tax"]:
        base = _yen(tax["base"], words)
        text = said[f"tax_{tax['tax_class']}"].format(base=base, rate=tax["rate"])
        rows.append((text, _yen(tax["amount"], words)))
    if shown["points_used"]:
        rows.append((said["points"], _yen(-shown["points_used"], words)))
    return Table(
        [(said["sums"], said["amount"]), *rows, (said["to_pay"], _yen(shown["total_with_tax"], words))], _SUMS
    )


def receipt(contract_id: str, period: str, name: str, amount: int, at: datetime, words: Language) -> bytes:
    """That a statement was paid by card (RNT-16)."""
    said = _WORDS[words]
    lines = [
        name,
        said["received"].format(amount=_yen(amount, words)),
        said["for"].format(month=_month(period, words), contract_id=contract_id),
        said["by_card"].format(day=_day(at.astimezone(JST).date().isoformat(), words)),
        said["issuer"],
    ]
    return pdf(said["receipt"], lines, words, at)


def _month(period: str, words: Language) -> str:
    first = jobs.first_day(period)
    return f"{first.year}年{first.month}月" if words == "ja" else f"{first:%B %Y}"


def _day(text: str, words: Language) -> str:
    day = date.fromisoformat(text)
    return f"{day.year}年{day.month}月{day.day}日" if words == "ja" else f"{day.day} {day:%B %Y}"


def _yen(amount: int, words: Language) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount):,}円" if words == "ja" else f"{sign}¥{abs(amount):,}"

"""Documents as PDF: what they are made of, text and tables, and how to have one made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outside.notice import Language

LINE = 6.2
"""Millimetres from one line to the next."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. The first is the head; columns share the width by `widths`; the last is set right."""

    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


Block = str | Table


def pdf(title: str, blocks: Sequence[Block], language: Language, at: datetime) -> bytes:
    """A receipt, a statement and the like: title, date, then the blocks one under the other."""
    from outside.page import Page  # what it stands on would take half a second of every start

    page = Page(title, language, at)
    page.dated(at)
    page.heading(title)
    page.blocks(blocks)
    return bytes(page.output())

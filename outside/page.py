"""A4 pages with Japanese text: letters, receipts and statements are made of these.

Imported where a page is made and not before: what it stands on takes half a second of every start.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import FontFace

from outside import texts
from outside.document import LINE, Block, Table
from outside.font import FONT, font
from outside.notice import JST, Language

logging.getLogger("fontTools").setLevel(logging.WARNING)

MARGIN = 20.0
SIZE = 10.5
SHORT = 8
_PAGE_OF = {"ja": "{0} / {1} ページ", "en": "Page {0} of {1}", "both": "{0} / {1} ページ (Page {0} of {1})"}

# What stays on one line: a run of half-width characters, or one full-width one; with the brackets that open
# before it and the marks that must not begin a line (kinsoku).
_OPEN = "（「『【〔［〈《"
_CLOSE = "、。，．・：；？！）」』】〕］〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_UNIT = re.compile(rf"[{_OPEN}]*(?:[!-~¡-ʯ]+|.)[{_CLOSE}]*")


class Page(FPDF):
    """An A4 document, numbered, dated `at` (aware): the same content gives the same bytes."""

    def __init__(self, title: str, language: Language, at: datetime) -> None:
        super().__init__(format="A4")
        self._language = language
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=MARGIN + 5)
        self._font = self.fonts[FONT] = font()
        self.set_font(FONT, size=SIZE)
        self.set_title(self.printable(title))
        self.set_lang("en" if language == "en" else "ja-JP")
        self.set_creation_date(at)
        self.add_page()

    def footer(self) -> None:
        """Called by fpdf for every page."""
        self.set_y(-15)
        self.set_font(FONT, size=8)
        # fpdf knows the number of pages only at the end, and puts it in for {nb}
        self.cell(0, 5, _PAGE_OF[self._language].format(self.page_no(), "{nb}"), align=Align.C)
        self.set_font(FONT, size=SIZE)

    def printable(self, text: str) -> str:
        """The text with 〓 for what the font has no glyph for, as Japanese print shops do."""
        glyphs = self._font.cmap
        return "".join(c if c == "\n" or ord(c) in glyphs else "〓" for c in text)

    def heading(self, title: str) -> None:
        """The title, centred and larger."""
        self.set_font(FONT, size=14)
        for line in self.lines(title):
            self.cell(0, 8, line, align=Align.C, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(FONT, size=SIZE)
        self.ln(4)

    def dated(self, at: datetime) -> None:
        """The date in Japan, on the right."""
        self.cell(
            0,
            LINE,
            texts.day(at.astimezone(JST).date(), self._language),
            align=Align.R,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def paragraph(self, text: str, width: float | None = None) -> None:
        """Text, its line breaks kept and long lines broken as the language breaks them. Width in mm."""
        for line in self.lines(text, width):
            self.cell(width or self.epw, LINE, line, new_x=XPos.LEFT, new_y=YPos.NEXT)

    def lines(self, text: str, width: float | None = None) -> Iterator[str]:
        """The lines that the text takes at the present size; `width` in mm, by default the whole page's."""
        room = (width or self.epw) - 2 * self.c_margin
        for paragraph in self.printable(text).split("\n"):
            line = ""
            for unit in self._units(paragraph, room):
                if line and self.get_string_width((line + unit).rstrip()) > room:
                    yield line.rstrip()
                    line = ""
                line += unit if line else unit.lstrip()
            yield line.rstrip()

    def _units(self, text: str, room: float) -> Iterator[str]:
        for unit in _UNIT.findall(text):
            # a link longer than a line has to be broken somewhere
            yield from [unit] if self.get_string_width(unit) <= room else unit

    def blocks(self, blocks: Iterable[Block]) -> None:
        """One under the other."""
        for block in blocks:
            if isinstance(block, Table):
                self.ruled(block)
            else:
                self.paragraph(block)
                self.ln(LINE / 2)

    def ruled(self, table: Table) -> None:
        """The table, over as many pages as it takes; a short one is not torn apart."""
        if len(table.rows) <= SHORT and self.will_page_break(LINE * len(table.rows)):
            self.add_page()
        with self.table(
            col_widths=tuple(table.widths),
            text_align=(*["LEFT"] * (len(table.widths) - 1), "RIGHT"),
            line_height=LINE,
            headings_style=FontFace(fill_color=235),
        ) as drawn:
            for row in table.rows:
                drawn.row([self.printable(cell) for cell in row])
        self.ln(LINE / 2)

"""The font of all pages, read once for each process: that takes longer than a letter does."""

from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.fonts import SubsetMap, TTFFont

FONT = "keiyakugothic"
FONT_FILE = Path(__file__).parent / "fonts" / "KeiyakuGothic.ttf"
_FOR_SHAPING = ("GDEF", "GPOS", "GSUB")


def font() -> TTFFont:
    """The font for one document, which notes in it what signs it has and, at its end, cuts away all others."""
    made = copy(_read())
    made.subset, made.missing_glyphs, made.desc = SubsetMap(made), [], copy(made.desc)
    made.ttfont = _own(made.ttfont)
    return made


@cache
def _read() -> TTFFont:
    """All of it. Nobody changes it: threads share it."""
    read = TTFFont(FPDF(), FONT_FILE, FONT, "")
    for tag in _FOR_SHAPING:
        del read.ttfont[tag]
    read.ttfont.ensureDecompiled(recurse=False)
    for coded in read.ttfont["cmap"].tables:
        coded.ensureDecompiled()
    # A cut font keeps the bounds of the whole one. To find its own would take as long as all the rest of a letter.
    read.ttfont.recalcBBoxes = False
    read.ttfont.close()
    read.ttfont.reader = None
    return read


def _own(whole: Any) -> Any:
    """A copy as deep as cutting goes."""
    made = copy(whole)
    made.tables = {tag: copy(whole.tables[tag]) for tag in whole.tables}
    made["cmap"].tables = [copy(coded) for coded in whole["cmap"].tables]
    made["glyf"].glyphs = _Glyphs(whole["glyf"].glyphs)
    return made


class _Glyphs(dict[str, Any]):
    """Whoever takes a glyph out has it to himself."""

    def __getitem__(self, name: str) -> Any:
        return copy(super().__getitem__(name))

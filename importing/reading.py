"""A CSV file of contracts, line by line, and the file of those that were left out."""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from rules import importing as rules

CODECS = {"utf-8": "utf-8-sig", "cp932": "cp932"}
"""By the name of an encoding: how it is read, a mark at the beginning left out."""

TOLD = 20
"""Bad rows that are told at once; all of them stand in the file of the rejected."""

NOTES = ("rejected_line", "rejected_because")
"""Columns that a file of rejected rows has besides its own: mended, it can be brought in as it is."""


class Unreadable(ValueError):
    """The file is none of contracts. Its text is one sentence for the person who gave it."""


class Line(NamedTuple):
    """A line of the file after its header."""

    number: int
    fields: list[str]
    fault: str = ""


class Look(NamedTuple):
    """What a look through the whole file tells."""

    encoding: str
    lines: int


def look(path: Path) -> Look:
    """UTF-8, with a mark at its beginning or without, where all of it is; else CP932. Raises OSError."""
    encoding, lines, ends = "utf-8-sig", 0, b"\n"
    decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines, ends = lines + block.count(b"\n"), block[-1:]
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                encoding = "cp932"
                decoder = codecs.getincrementaldecoder("latin-1")()
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        encoding = "cp932"
    return Look(encoding, lines + (ends != b"\n"))


class Source:
    """The file's lines, one after the other. What is not in its encoding is kept as it is, so that it can be told."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file: TextIO = path.open(encoding=encoding, errors="surrogateescape")
        self.header = self._header(path)

    def _header(self, path: Path) -> list[str]:
        try:
            header = [name.strip() for name in next(csv.reader([self._file.readline()]), [])]
        except csv.Error as fault:
            raise Unreadable(f"{path}: the first line names the columns; {fault}.") from None
        unknown = sorted(set(header) - {*rules.COLUMNS, *NOTES})
        missing = sorted(rules.REQUIRED - set(header))
        twice = sorted({name for name in header if header.count(name) > 1})
        for names, what in ((unknown, "unknown"), (missing, "missing"), (twice, "there twice")):
            if names:
                raise Unreadable(
                    f"{path}: the first line names the columns; {what}: {', '.join(names)[:200]}."
                )
        return header

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Line]:
        """Each line for itself: a quotation mark too many spoils no other."""
        for number, text in enumerate(self._file, 2):
            if text.strip():
                yield self._line(number, text)

    def _line(self, number: int, text: str) -> Line:
        try:
            fields = next(csv.reader([text], strict=True))
        except csv.Error as fault:
            return Line(number, [text.rstrip("\r\n")], str(fault))
        if len(fields) != len(self.header):
            return Line(number, fields, f"{len(fields)} columns; the first line names {len(self.header)}")
        return Line(number, fields)

    def values(self, line: Line) -> dict[str, str]:
        """By column, without the notes of an earlier rejection. A password is what it is, blanks at its ends too."""
        named = [pair for pair in zip(self.header, line.fields, strict=True) if pair[0] not in NOTES]
        return {name: value if name == "password" else value.strip() for name, value in named}


class Rejects:
    """The rows that were left out, each with its line and the reason; only the file's owner may read them."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path, self._told = path, 0
        self._header = [name for name in header if name not in NOTES]
        self._kept = [place for place, name in enumerate(header) if name not in NOTES]
        path.unlink(missing_ok=True)
        self._file: TextIO | None = None

    def add(self, line: Line, reason: str) -> None:
        if self._file is None:
            self._open()
        whole = len(line.fields) == len(self._kept) or not line.fault
        fields = [line.fields[place] for place in self._kept] if whole else line.fields
        csv.writer(self._file or sys.stderr).writerow([line.number, reason, *fields])
        self._told += 1
        if self._told <= TOLD:
            say(f"line {line.number}: {reason}" + (" …" if self._told == TOLD else ""))

    def _open(self) -> None:
        self.path.touch(mode=0o600)
        self._file = self.path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
        csv.writer(self._file).writerow([*NOTES, *self._header])

    def close(self) -> None:
        if self._file:
            self._file.close()


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()

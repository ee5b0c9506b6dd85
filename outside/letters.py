"""Notices by post: an A4 PDF for each in the print folder, and beside it what the print shop must know."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from outside import texts
from outside.document import LINE
from outside.notice import Notice, Recipient, Undeliverable, Unreachable
from rules.texts import addressed
from settings import Settings

if TYPE_CHECKING:
    from outside.page import Page

# Where the window of a Japanese long envelope (長形3号) shows the sheet folded in three; millimetres.
WINDOW_LEFT, WINDOW_TOP, WINDOW_WIDTH, WINDOW_HEIGHT = 25, 20, 80, 40


class Printer:
    """Puts letters into the print folder. Its exceptions do not say who was written to, or what."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.print_dir
        self._production = settings.production

    async def print(self, notice: Notice) -> None:
        """Writes {delivery_id}.pdf, then {delivery_id}.json; whoever sees the second may take the first.

        A delivery already there is left alone. Raises Undeliverable where there is no postal address,
        Unreachable where the folder cannot be written, and texts.BadField.
        """
        await asyncio.to_thread(self._print, notice)

    def _print(self, notice: Notice) -> None:
        if not (notice.to.postal_code and notice.to.address):
            raise Undeliverable("there is no postal address")
        label = self._folder / f"{notice.delivery_id}.json"
        try:
            if label.exists():
                return
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            page = letter(notice)
            _write(label.with_suffix(".pdf"), bytes(page.output()))
            _write(label, json.dumps(self._label(notice, page.page_no()), ensure_ascii=False).encode())
        except OSError as error:
            raise Unreachable(f"print folder: {os.strerror(error.errno or 0)}") from None

    def _label(self, notice: Notice, pages: int) -> dict[str, Any]:
        label = {
            "delivery_id": notice.delivery_id,
            "contract_id": notice.contract_id,
            "kind": notice.kind,
            "language": notice.language,
            "at": notice.at.isoformat(),
            "pages": pages,
        }
        return label if self._production else label | _for_the_outbox(notice)


def _for_the_outbox(notice: Notice) -> dict[str, Any]:
    text = texts.with_details(notice)
    return {
        "to": " ".join([f"〒{notice.to.postal_code}", notice.to.address or "", notice.to.name]),
        "email": notice.to.email,
        "subject": text.subject,
        "text": text.body,
        "fields": notice.fields,
    }


def letter(notice: Notice) -> Page:
    """The letter on paper: the address where the envelope's window is, date, subject, text; below it the details."""
    from outside.page import Page  # what it stands on would take half a second of every start

    text = texts.render(notice)
    page = Page(text.subject, notice.language, notice.at)
    _address(page, notice.to)
    page.set_y(max(page.get_y(), WINDOW_TOP + WINDOW_HEIGHT) + LINE)
    page.dated(notice.at)
    page.ln(LINE)
    page.heading(text.subject)
    page.paragraph(text.body)
    page.ln(LINE)
    page.blocks(notice.details)
    return page


def _address(page: Page, to: Recipient) -> None:
    code = to.postal_code or ""
    page.set_xy(WINDOW_LEFT, WINDOW_TOP)
    page.paragraph(f"〒{code[:3]}-{code[3:]}" if code.isdigit() else f"〒{code}", WINDOW_WIDTH)
    page.paragraph(to.address or "", WINDOW_WIDTH)
    page.ln(LINE / 3)
    page.set_x(WINDOW_LEFT)
    page.paragraph(addressed(to.name, to.kind, "ja"), WINDOW_WIDTH)


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, even if the machine stops in the middle."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except OSError:
            # On a full disk each try would leave one, with a customer's letter in it.
            Path(file.name).unlink()
            raise

"""A line's life in the store beside the same life in the book: what comes of a request, and what always holds."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select

from rules.refusal import Refusal
from store.database import connect
from store.tables import DeletionRow, LineAccessRow, PassportIdRow, ProcedureRow, PurchaseRow
from store.write import table
from tests.properties.book import Book
from tests.properties.lived import Lived, words
from tests.rules.cases import at

BEGINS = at("2026-04-01 10:00:00")
FIRST_CAP = 50000


class Agreement(RuleBasedStateMachine):
    """One living line after another, all in one store."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="keiyaku-lines-"))
        shutil.copy(self.empty, self.folder / "keiyaku.db")
        self.engine = connect(f"sqlite:///{self.folder}/keiyaku.db")
        self.now, self.fresh, self.past = BEGINS, count(1), list[tuple[Lived, Book]]()
        self.links = list[str]()
        self.begins(FIRST_CAP)

    def begins(self, cap: int) -> None:
        self.line = Lived(self.engine, next(self.fresh), self.now, cap, discount=True)
        self.book = Book(cap, "next")
        self.book.club.types.append((self.now, "next"))

    def keeps_time(self) -> None:
        self.line.wait(words(self.now))
        self.book.until(self.now)

    # What comes of a request

    def _against(self, kind: str) -> set[str]:
        return self.book.against_request(kind, self.now)

    def accepted(self, kind: str, body: dict[str, Any], against: set[str]) -> bool:
        """Ask for it, where the book and the service agree that it may be asked for."""
        self.line.knows(self.now)
        if not self.agree(self.line.judge(words(self.now), kind, body), against):
            return False
        command = f"{self.line.name}-{self.line.commands + 1}"
        personal: dict[str, dict[str, Any]] = {
            "conversion": {"number": {"number": command, "contract_id": self.line.name}},
            "move": {"address": "大阪府大阪市北区梅田1-1"},
            "membership": {"membership": {"email": "hanako@example.jp", "link": f"link-{command}"}},
        }
        self.line.personal = personal.get(kind, {})
        self.line.ask(words(self.now), kind, body)
        self.done()
        return True

    def agree(self, found: Any, against: set[str]) -> bool:
        """Whether it goes through; fails where the service says another thing than the book."""
        if isinstance(found, Refusal):
            assert found.rule in against, (found, against)
            return False
        assert not against, against
        return True

    def done(self) -> None:
        self.line.arrives()
        self.book.until(self.now)

    @property
    def gone(self) -> dict[str, str]:
        """Every ID there was and is not any more, with its line."""
        lives = (*self.past, (self.line, self.book))
        return {passport_id: line.name for line, book in lives for passport_id in book.gone}

    # What always holds

    @invariant()
    def what_holds(self) -> None:
        for line, book in (*self.past[-1:], (self.line, self.book)):
            self.as_in_the_book(line, book)
        self.members_as_in_the_book()

    def members_as_in_the_book(self) -> None:
        raise NotImplementedError

    def as_in_the_book(self, line: Lived, book: Book) -> None:
        stored = line.stored()
        assert (stored.number, stored.state) == (line.contract.number, line.contract.state)
        ids = {row["passport_id"]: row for row in self.rows(PassportIdRow, line)}
        assert set(ids) == set(book.ids), "an ended line has none, a living one exactly its own"
        restricted = {passport_id for passport_id, row in ids.items() if row["restricted"]}
        assert restricted == set(stored.restricted) == {i for i, p in book.ids.items() if p.restricted}
        assert len(self.rows(DeletionRow, line)) == len(book.gone)
        bought = {row["purchase_id"]: row for row in self.rows(PurchaseRow, line)}
        assert {name: (row["amount"], row["ended_at"]) for name, row in bought.items()} == {
            name: (one.amount, one.ended_at) for name, one in book.bought.items()
        }
        assert book.spent(self.now) <= book.cap, "MAT-4"
        pending = [row for row in self.rows(ProcedureRow, line) if not row["closed"]]
        numbers = [row["procedure_id"] for row in pending if row["kind"] == "conversion"]
        assert numbers == ([book.number] if book.number else [])
        forms = [one for one in book.ids.values() if one.form]
        assert len(forms) == sum(row["kind"] == "unrestriction" for row in pending)
        assert len(self.rows(LineAccessRow, line)) == 1
        assert book.converted == (stored.state == "converted") and not (book.converted and ids)
        assert stored.line_type == book.line_type

    def rows(self, row: Any, line: Lived) -> list[dict[str, Any]]:
        rows = table(row)
        with self.engine.connect() as connection:
            found = connection.execute(select(rows).where(rows.c.contract_id == line.name)).mappings()
            return [dict(one) for one in found]

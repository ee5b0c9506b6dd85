"""A line's life in the store beside the same life in the book: what comes of a request, and what always holds."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import Connection, select

from rules import jobs
from rules.passport_id import state_at
from rules.refusal import Refusal
from store import points_grant, points_lapse
from store.database import connect
from store.ledger import RunRow
from store.tables import DeletionRow, LineAccessRow, PassportIdRow, ProcedureRow, PurchaseRow
from store.write import insert, table
from tests.properties.book import Book
from tests.properties.lived import Lived, words
from tests.rules.cases import POLICY, at
from tests.store.club import EVERYBODY
from workflows import kinds

BEGINS = at("2026-04-01 10:00:00")
FIRST_CAP = 50000


class Agreement(RuleBasedStateMachine):
    """One living line after another, all in one store."""

    empty: Path
    # Of the one customer, for all lines.
    login: tuple[str, ...] | None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="keiyaku-lines-"))
        shutil.copy(self.empty, self.folder / "keiyaku.db")
        self.engine = connect(f"sqlite:///{self.folder}/keiyaku.db")
        self.now, self.fresh, self.past = BEGINS, count(1), list[tuple[Lived, Book]]()
        self.links, self.login = list[str](), None
        self.runs_until = BEGINS
        self.begins(FIRST_CAP)

    def begins(self, cap: int) -> None:
        self.line = Lived(self.engine, next(self.fresh), self.now, cap, discount=True, account="a-1")
        self.book = Book(cap, "next")
        self.book.club.types.append((self.now, "next"))

    def keeps_time(self) -> None:
        """Deadlines first, then the runs that waited for them."""
        self.line.wait(words(self.now))
        self.done()
        for due in jobs.due_between(self.runs_until, self.now, POLICY):
            with self.engine.begin() as connection:
                self._runs(connection, due)
        self.runs_until = max(self.now, self.runs_until)

    def _runs(self, connection: Connection, due: jobs.Due) -> None:
        if due.job == points_grant.JOB:
            points_grant.chunk(connection, due.period, *EVERYBODY, POLICY)
        elif due.job == points_lapse.JOB:
            points_lapse.chunk(connection, due.period, *EVERYBODY, POLICY)
        else:
            return
        row = {"job": due.job, "period": due.period, "state": "done", "due_at": due.at}
        insert(connection, RunRow, [row | {"started_at": self.now, "finished_at": self.now}])

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
        assert state_at(stored, self.now) == book.state(self.now)
        ids = {row["passport_id"]: row for row in self.rows(PassportIdRow, line)}
        faces = ("name", "monthly_cap", "line_authentication", "password_hash")
        assert {passport_id: tuple(row[one] for one in faces) for passport_id, row in ids.items()} == {
            passport_id: (one.name, one.cap, one.tied_to_line, one.password)
            for passport_id, one in book.ids.items()
        }, "an ended line has none, a living one exactly its own"
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
        keys = stored.access_key_issue, stored.authentication_key_issue
        assert (stored.line_type, *keys) == (book.line_type, book.access_keys, book.authentication_keys)
        if book.bills.owed:
            self.bills_as_in_the_book(line, book)

    def bills_as_in_the_book(self, line: Lived, book: Book) -> None:
        """BIL-3. What a deadline brings stands in the store once it has been kept."""
        left, blocks = line.standing()
        assert left == book.bills.left()
        due = kinds.due_at(line.contract)
        if due is None or due > self.now:
            assert blocks == book.bills.blocks
            assert line.contract.blocks == (["collection"] if book.bills.blocked(self.now) else [])

    def rows(self, row: Any, line: Lived) -> list[dict[str, Any]]:
        rows = table(row)
        with self.engine.connect() as connection:
            found = connection.execute(select(rows).where(rows.c.contract_id == line.name)).mappings()
            return [dict(one) for one in found]

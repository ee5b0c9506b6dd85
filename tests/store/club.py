"""Members of the club in the store, and their ledger as a person would read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select

from rules.points import Wanted
from rules.refusal import Refusal
from store import points, points_grant, points_lapse
from store.changes import facts
from store.ledger import BlockRow, FeeRow, MemberRow, PointRow
from store.tables import ContractRow, LineAccessRow
from store.write import insert, set_values, table
from tests.rules.cases import POLICY, at
from tests.rules.lines import line

T = TypeVar("T")
EVERYBODY = ("", "z")


def within(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


class Club:
    """One store with lines, most of them members."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.exchanges = engine, 0

    def line(self, contract_id: str = "k-1", **changed: Any) -> str:
        """A Next line with the discount, in force since 1 April 2026."""
        contract = line(**{"contract_id": contract_id, "two_year_discount": True, **changed})
        row = facts(contract) | {"account_id": f"a-{contract_id}", "party_id": f"y-{contract_id}"}
        access = {"contract_id": contract_id, "customer_id": f"CAF-{contract_id}"}
        within(self.engine, lambda c: insert(c, ContractRow, [row]))
        within(self.engine, lambda c: insert(c, LineAccessRow, [access]))
        return contract_id

    def member(self, contract_id: str = "k-1", joined: str = "2026-04-10 12:00:00", **changed: Any) -> str:
        """A line whose customer has joined."""
        self.line(contract_id, **changed)
        self.joins(contract_id, joined)
        return contract_id

    def joins(self, contract_id: str, joined: str, counted_from: str = "") -> None:
        row = {"contract_id": contract_id, "email": "hanako@example.jp", "joined_at": at(joined)}
        row |= {"counted_from": at(counted_from or joined), "left_at": None}
        within(self.engine, lambda c: insert(c, MemberRow, [row]))

    def changes(self, contract_id: str, **values: Any) -> None:
        """Facts of the line that are as given from now on."""
        row = {"contract_id": contract_id, **values}
        within(self.engine, lambda c: set_values(c, ContractRow, [row]))

    def costs(
        self, contract_id: str, line_type: str, first: str, last: str | None = None, amount: int = 5200
    ) -> None:
        row = {"contract_id": contract_id, "part": "base", "item": line_type, "amount": amount}
        row |= {
            "first_day": date.fromisoformat(first),
            "last_day": date.fromisoformat(last) if last else None,
        }
        within(self.engine, lambda c: insert(c, FeeRow, [row]))

    def suspended(self, contract_id: str, since: str, until: str | None = None) -> None:
        row = {"contract_id": contract_id, "kind": "collection", "from_at": at(since)}
        row["until_at"] = at(until) if until else None
        within(self.engine, lambda c: insert(c, BlockRow, [row]))

    # Runs

    def grant(self, period: str) -> int:
        return within(self.engine, lambda c: points_grant.chunk(c, period, *EVERYBODY, POLICY))

    def lapse(self, period: str) -> int:
        return within(self.engine, lambda c: points_lapse.chunk(c, period, *EVERYBODY, POLICY))

    # One line

    def exchange(
        self, contract_id: str, number: int, now: str, item: str | None = None, from_line: bool = True
    ) -> Refusal | None:
        """Points for a bill, or for an item of the list."""
        self.exchanges += 1
        kind = "item" if item else "bill_payment"
        wanted = Wanted(f"x-{self.exchanges:03}", kind, number, item)
        return within(
            self.engine, lambda c: points.exchange(c, contract_id, wanted, from_line, at(now), POLICY)
        )

    def ends(self, contract_id: str, when: str) -> None:
        """All that hangs on the line is gone, its points with it."""
        within(self.engine, lambda c: points.forfeit(c, contract_id, at(when)))

    def balance(self, contract_id: str, now: str) -> int:
        return sum(left for _, left in self.lots(contract_id, now))

    def lots(self, contract_id: str, now: str) -> list[tuple[str, int]]:
        """Each lot's day of grant, and what is left of it."""
        found = within(self.engine, lambda c: points.lots(c, contract_id, at(now)))
        return [(lot.granted_on.isoformat(), lot.left) for lot in found]

    def ledger(self, contract_id: str = "k-1") -> list[tuple[str, str, str, int]]:
        """Every row, by date: when, of which lot, what, how many."""
        rows = table(PointRow)
        mine = select(rows).where(rows.c.contract_id == contract_id)
        ordered = mine.order_by(rows.c.at, rows.c.granted_on, rows.c.what.desc(), rows.c.ref)
        found = within(self.engine, lambda c: c.execute(ordered).mappings().all())
        return [
            (f"{row['at']:%Y-%m-%d %H:%M}", row["granted_on"].isoformat(), row["what"], row["points"])
            for row in found
        ]

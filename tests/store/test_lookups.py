"""What is asked about one person or one contract reads no table from end to end, however many there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import NoResultFound

from rules import policy
from store import (
    accounts,
    bills,
    contracts,
    disclosures,
    lines,
    members,
    parties,
    passport_ids,
    points,
    tasks,
)
from store.database import connect

NOW = datetime(2027, 6, 1, tzinfo=UTC)
ONE = "k-1"
LOOKUPS: dict[str, Callable[[Connection], Any]] = {
    "the line of a name and a telephone": lambda c: members.line_of(c, "花子", "0312345678"),
    "who wants to join": lambda c: members.asked_with(c, ONE),
    "where the club writes to": lambda c: members.email(c, ONE, "p-1"),
    "how many wait ahead": lambda c: tasks.ahead(c, ONE, "p-1"),
    "why it was turned down": lambda c: tasks.note(c, ONE, "p-1"),
    "a procedure": lambda c: contracts.procedure(c, "p-1", "a-1"),
    "what it moved through": lambda c: contracts.moves(c, "p-1"),
    "contracts of an account": lambda c: contracts.of_account(c, "a-1"),
    "what a command led to": lambda c: contracts.led_to(c, "c-1"),
    "the timeline": lambda c: contracts.timeline(c, ONE),
    "whom an operator names": lambda c: c.execute(contracts.named("0312345678")).all(),
    "contracts before a place": lambda c: contracts.found(c, "", 50, (NOW, ONE)),
    "a party": lambda c: parties.of_contract(c, ONE),
    "an account by login": lambda c: accounts.by_login_id(c, "hanako"),
    "an account by customer ID": lambda c: lines.by_customer_id(c, "CAF0000000001"),
    "a passport ID by name": lambda c: passport_ids.by_name(c, "hanako-1"),
    "what hangs on a line": lambda c: lines.holdings(c, ONE, NOW),
    "whether points are owed": lambda c: points.owes(c, ONE, NOW, policy.load()),
    "statements": lambda c: bills.months(c, ONE, "2026-06", "2027-06"),
    "what was paid with": lambda c: bills.paid_with(c, ONE, "c-1"),
    "disclosures after a place": lambda c: disclosures.of_contract(c, None, 50, (NOW, "u-1 2026-06")),
    "what was disclosed": lambda c: disclosures.of_contract(c, ONE, 50, None),
}


@pytest.fixture
def connection(template: Path) -> Iterator[Connection]:
    engine = connect(f"sqlite:///{template}")
    with engine.connect() as found:
        yield found
    engine.dispose()


@contextmanager
def asked(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Every statement, with what it was given."""
    found: list[tuple[str, Any]] = []

    def note(_: Any, cursor: Any, statement: str, given: Any, *more: Any) -> None:
        found.append((statement, given))

    event.listen(connection, "before_cursor_execute", note)
    yield found
    event.remove(connection, "before_cursor_execute", note)


@pytest.mark.parametrize("name", LOOKUPS)
def test_it_is_found_by_an_index(connection: Connection, name: str) -> None:
    with asked(connection) as statements, suppress(NoResultFound):  # an empty database has nobody
        LOOKUPS[name](connection)
    plans = [
        step.detail
        for statement, given in statements
        if statement.startswith("SELECT")
        for step in connection.exec_driver_sql(f"explain query plan {statement}", given)
    ]
    assert plans
    assert [step for step in plans if re.match("SCAN|.* AUTOMATIC ", step)] == []

"""After maintenance nothing that was deleted is found in the database's files (COL-7), and what lives is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, text

from rules.calendar import JST
from store import members
from store.ledger import MembershipLinkRow
from store.maintenance import look_over, maintain
from store.tables import PassportIdRow
from store.write import insert, table
from tests.database import planned_with

DELETED, LIVING = "kanaria-geloescht", "kanaria-lebendig"
AT = datetime(2027, 6, 1, 12, tzinfo=JST)


def files(engine: Engine) -> Iterator[Path]:
    """Where the database keeps its rows; PostgreSQL's log of changes is for the server's owner to keep or to drop."""
    if engine.dialect.name == "sqlite":
        yield from Path(str(engine.url.database)).parent.glob("keiyaku.db*")
        return
    with engine.begin() as connection:
        folder = Path(str(connection.execute(text("show data_directory")).scalar_one()))
        mine = connection.execute(text("select oid from pg_database where datname = current_database()"))
        yield from (folder / "base" / str(mine.scalar_one())).iterdir()


def holding(engine: Engine, word: str) -> list[str]:
    return [path.name for path in files(engine) if word.encode() in path.read_bytes()]


def add_ids(engine: Engine, each: int, *words: str) -> None:
    """Passport IDs that begin with these words."""
    rows = [
        {
            "passport_id": f"i-{number}-{word}",
            "contract_id": "k-1",
            "name": f"{word}-{number}",
            "password_hash": f"hash-{word}",
            "monthly_cap": None,
            "line_authentication": True,
            "restricted": False,
            "created_at": AT,
        }
        for number in range(each)
        for word in words
    ]
    with engine.begin() as connection:
        insert(connection, PassportIdRow, rows)


@pytest.mark.rule("COL-7")
def test_what_was_deleted_is_in_no_file_after_maintenance(engine: Engine) -> None:
    add_ids(engine, 200, DELETED, LIVING)
    with engine.begin() as connection:
        names = table(PassportIdRow).c.name
        connection.execute(delete(table(PassportIdRow)).where(names.startswith(DELETED)))
    maintain(engine)
    assert holding(engine, LIVING)
    assert holding(engine, DELETED) == []
    maintain(engine)


@pytest.mark.rule("PNT-1")
def test_the_e_mail_of_a_link_that_is_over_is_in_no_file_after_maintenance(engine: Engine) -> None:
    links = [
        {"link": f"l-{n}", "procedure_id": f"p-{n}", "contract_id": "k-1", "email": f"{n}@{DELETED}.jp"}
        for n in range(200)
    ]
    with engine.begin() as connection:
        insert(connection, MembershipLinkRow, links)
    with engine.begin() as connection:
        members.forget(connection, [link["procedure_id"] for link in links])
    maintain(engine)
    assert holding(engine, DELETED) == []


def test_after_a_look_over_the_database_knows_how_many_there_are_when_it_plans(engine: Engine) -> None:
    add_ids(engine, 300, LIVING)
    look_over(engine)
    assert planned_with(engine, "passport_id") == 300

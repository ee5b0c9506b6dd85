"""Migrations lead to exactly the tables that the code speaks of, on both databases, however often they are applied."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import inspect
from sqlmodel import SQLModel

from store.database import connect
from store.migrate import differences, upgrade


def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    upgrade(url)
    engine = connect(url)
    with engine.begin() as connection:
        differences(connection)
        there = set(inspect(connection).get_table_names())
    engine.dispose()
    assert there == {*SQLModel.metadata.tables, "alembic_version"}


def test_several_processes_may_migrate_at_once_and_again(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(upgrade, url) for _ in range(8)]:
            done.result()
    engine = connect(url)
    with engine.begin() as connection:
        differences(connection)
    engine.dispose()

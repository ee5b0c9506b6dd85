"""What tests of the whole service share: for each process of pytest one stack on each database, kept to the end."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from cli import COLLECT_AFTER
from tests.database import DATABASES, Postgres, postgres
from tests.stack import Stack, stack

Stacks = Callable[[str], Stack]

gc.set_threshold(*COLLECT_AFTER)


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the collector need not look through them again and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def tests_have_said_how_much() -> None:
    """What only tests read (KEIYAKU_TEST_KILLS and the like) is read by now; the service knows no such setting."""
    for name in [name for name in os.environ if name.startswith("KEIYAKU_TEST_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Started when the first test needs it."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stacks]:
    """The stack on a database, started when it is first asked for."""
    with ExitStack() as running:

        @cache
        def on(database: str) -> Stack:
            url = ""
            if database == "postgresql":
                server: Postgres = request.getfixturevalue("postgres_server")
                url = server.new_database()
            return running.enter_context(stack(tmp_path_factory.mktemp(database) / "data", url))

        yield on


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest.fixture
def running_stack(database: str, stacks: Stacks) -> Iterator[Stack]:
    """The whole service on the test clock."""
    found = stacks(database)
    yield found
    found.let_be()

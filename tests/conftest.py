"""What tests of the whole service share: one stack on each database, kept to the end."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from cli import COLLECT_AFTER

# What helpers found is shown, too, where an assertion in one of them fails.
HELPERS = "activities chaos club line properties running sandbox stack workflows"
pytest.register_assert_rewrite(*(f"tests.{name}" for name in HELPERS.split()))

from tests.database import DATABASES, Postgres, postgres  # noqa: E402
from tests.stack import Stack, stack  # noqa: E402

Stacks = Callable[[str], Stack]
TOGETHER = re.compile(
    r"tests/(?:(?:api/|test_(?:catch_up|import|rest)\.py).*\[(sqlite|postgresql)|test_(demo)\.py)"
)

gc.set_threshold(*COLLECT_AFTER)


class OneStackEach(LoadScopeScheduling):  # type: ignore[misc]
    """Whatever asks the stack on a database goes to the one process of pytest that keeps it; the demo runs in one, too."""

    def _split_scope(self, nodeid: str) -> str:
        found = TOGETHER.match(nodeid)
        return found[1] or found[2] if found else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStackEach:
    return OneStackEach(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first: at the end the others would wait for it."""
    items.sort(key=_may_take, reverse=True)


def _may_take(item: pytest.Item) -> float:
    said = item.get_closest_marker("timeout")
    return float(said.args[0]) if said else 0


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

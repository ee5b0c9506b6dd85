from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store.database import connect
from store.migrate import upgrade
from tests.database import DATABASES, Postgres


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/keiyaku.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A migrated database of each kind."""
    upgrade(url)
    made = connect(url, pool_size=20)
    yield made
    made.dispose()

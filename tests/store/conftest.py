from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied."""
    file = tmp_path_factory.mktemp("store") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Engine]:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(template, tmp_path / 'keiyaku.db')}"
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.new_database(server.template)
    made = connect(url, pool_size=20)
    yield made
    made.dispose()

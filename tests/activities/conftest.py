from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from embedded import temporal
from settings import Settings
from store.migrate import upgrade
from tests.activities.world import OutsideWorld, outside_world
from tests.outside.conftest import settings
from tests.sandbox.conftest import sandbox, shared_sandbox
from tests.sandbox.process import Running

__all__ = ["sandbox", "settings", "shared_sandbox"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database with nothing in it but its tables."""
    file = tmp_path_factory.mktemp("store") / "template.db"
    upgrade(f"sqlite:///{file}")
    yield file


@pytest.fixture(scope="module")
def engine_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One time-skipping server for a module; tests keep apart by the names of their worlds."""
    part, address = temporal.time_skipping_server(tmp_path_factory.mktemp("temporal"))
    with subprocess.Popen(part.command, env=dict(part.env)) as server:
        yield address
        server.kill()


@pytest.fixture
async def outside(
    settings: Settings, sandbox: Running, engine_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OutsideWorld]:
    async with outside_world(settings, sandbox, engine_address, monkeypatch) as made:
        yield made

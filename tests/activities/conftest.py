from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from embedded import temporal
from embedded.part import start
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


@pytest.fixture
async def outside(
    settings: Settings, sandbox: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OutsideWorld]:
    part, address = temporal.time_skipping_server(tmp_path)
    server = await start(part)
    try:
        async with asyncio.timeout(30):
            while await part.ready():  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(0.05)
        async with outside_world(settings, sandbox, address, monkeypatch) as made:
            yield made
    finally:
        server.kill()
        await server.ended

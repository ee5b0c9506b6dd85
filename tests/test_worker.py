"""What a worker does beside workflows and activities goes on whatever becomes of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

import worker
from store import policies

Loop = Callable[[Engine, Any], Coroutine[Any, Any, None]]
LOOPS: dict[str, Loop] = {
    "policies": lambda engine, _: policies.hear(engine),
    "doubts": worker.settle_doubts,
    "alive": lambda engine, _: worker.say_alive(engine, "build"),
}
NOBODY: Any = None


@pytest.mark.parametrize("name", LOOPS)
async def test_where_no_connection_is_free_it_waits_for_one(name: str, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/taken.db", pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect():
        task = asyncio.create_task(LOOPS[name](engine, NOBODY))
        await asyncio.wait([task], timeout=0.3)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), "asked to stop it stops"

"""Waiting for a fact, however long the machine stands still meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def comes_to(wanted: object, ask: Callable[[], Awaitable[object]], within: float = 100) -> None:
    """Until just that is the answer. Where it does not come to that, the last answer says what there was instead."""
    deadline = time.monotonic() + within
    while (found := await ask()) != wanted:
        assert time.monotonic() < deadline, f"{found} is not {wanted}"
        await asyncio.sleep(0.2)

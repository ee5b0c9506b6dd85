"""What tests share that start parts one by one, and kill them at moments that differ from run to run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.chaos.forking import Forks, forks

SEED = int(os.environ.get("KEIYAKU_TEST_SEED", random.randrange(1_000_000_000)))


@pytest.fixture(scope="session")
def warm() -> Iterator[Forks]:
    """Begins parts without their imports."""
    with forks() as made:
        yield made


@pytest.fixture
def chance() -> random.Random:
    """Draws the moments. Where a test fails, what it printed says how to draw them once more."""
    print(f"KEIYAKU_TEST_SEED={SEED}")  # noqa: T201
    return random.Random(SEED)

"""What tests share that start parts one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.forking import Forks, forks


@pytest.fixture(scope="session")
def warm() -> Iterator[Forks]:
    """Begins parts without their imports."""
    with forks() as made:
        yield made

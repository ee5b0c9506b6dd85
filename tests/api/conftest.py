from __future__ import annotations

import pytest

from tests.stack import Stack


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    """The whole service on the test clock, on each database."""
    return running_stack

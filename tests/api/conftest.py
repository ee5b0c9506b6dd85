from __future__ import annotations

from functools import cache

import pytest

from tests.stack import Rental, Stack


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    """The whole service on the test clock, on each database."""
    return running_stack


@cache
def _rental(stack: Stack) -> Rental:
    return stack.active_contract()


@pytest.fixture
def rental(stack: Stack) -> Rental:
    """A contract in force that no test changes."""
    return _rental(stack)

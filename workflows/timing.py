"""How long activities may take, and how they are tried again."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

STORE_TIMEOUT = timedelta(seconds=10)
STORE_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=20)
)
# The sandbox gateway, and many a real one, may answer after half a minute.
OUTSIDE_TIMEOUT = timedelta(seconds=60)
# A worker that died meanwhile is noticed sooner.
ALIVE_WITHIN = timedelta(seconds=10)
OUTSIDE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))

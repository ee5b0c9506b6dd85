"""What every endpoint works with, made once at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import anyio.to_thread
import httpx
from fastapi import Request
from sqlalchemy import Connection, Engine
from temporalio.client import Client

from api.clock import EngineClock
from credentials import Credentials
from gate import Gate
from settings import Settings
from store.database import in_transaction

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    settings: Settings
    engine: Engine
    reader: Engine
    client: Client
    gate: Gate
    clock: EngineClock
    credentials: Credentials
    http: httpx.AsyncClient
    operators: dict[str, str]
    providers: dict[str, str]
    # A flood of logins must not hold up purchases: one login at a time, and hashing off the event loop, few at a time.
    signing_in: anyio.CapacityLimiter
    argon2: anyio.CapacityLimiter
    argon2_purchases: anyio.CapacityLimiter

    def now(self) -> datetime:
        return self.clock.now()

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a transaction that only reads."""
        return await anyio.to_thread.run_sync(in_transaction, self.reader, query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in a transaction of its own."""
        return await anyio.to_thread.run_sync(in_transaction, self.engine, change)


def service(request: Request) -> Service:
    """The service that `request` came to."""
    found: Service = request.app.state.service
    return found

"""A store and an outside in which an activity runs, and everything that it left there."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiosmtplib
import pytest
from sqlalchemy import Engine, select
from sqlmodel import SQLModel
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

import worker
from credentials import Credentials
from gate import CONVERTER
from outside import letters
from outside.payments import Gateway
from settings import Settings
from store.database import connect
from tests.activities.faults import BrokenEngine, BrokenHttp, Faults, broken_mail, broken_print
from tests.sandbox.process import Running

# How often something was tried is not what came of it, and salt is random.
NOT_COMPARED = {
    "delivery": ("tries", "next_try_at"),
    "account": ("password_hash",),
    "intake": ("received_at",),
    "contract": ("billing_number",),
    "statement": ("billing_number",),
    # For people to look at while it goes on; the proof puts it right.
    "run": ("done",),
}


class World:
    """`ids` are this world's own: what lies outside is shared by all worlds."""

    def __init__(self, name: str, engine: Engine, outside: OutsideWorld) -> None:
        self.name, self.engine, self.outside = name, engine, outside
        self.activities = {
            activity_name(run): run
            for run in worker.activities(outside.settings, engine, outside.client, outside.gateway)
        }

    async def run(self, name: str, *arguments: Any) -> Any:
        running = ActivityEnvironment().run(self.activities[name], *arguments)
        return await running if hasattr(running, "__await__") else running

    async def traces(self) -> str:
        """Everything there is to see, told as if every world had the same name."""
        seen = {
            "store": {name: self._rows(name) for name in sorted(SQLModel.metadata.tables)},
            "mails": self.outside.sandbox.outbox(contract_id=f"k-{self.name}"),
            "cards": [
                {"key": card["key"], "reference": card["reference"]}
                for card in self.outside.sandbox.ledger("cards")
                if self.name in card["key"]
            ],
            "charges": [
                {"key": charge["key"], "amount": charge["amount"]}
                for charge in self.outside.sandbox.ledger("charges")
                if self.name in charge["key"]
            ],
            "letters": sorted(self._letters()),
            "workflows": [await self._workflow(row["contract_id"]) for row in self._rows("contract")],
        }
        text = json.dumps(seen, default=str, ensure_ascii=False, sort_keys=True, indent=1)
        credentials = Credentials(self.outside.settings.secret_key.get_secret_value())
        account_id = f"a-{self.name}"
        for own, word in (
            (next(credentials.login_ids(account_id)), "the login ID"),
            (credentials.password(account_id), "the password"),
            (credentials.access_key(f"k-{self.name}", 1), "the access key"),
            (self.name, "world"),
        ):
            text = text.replace(own, word)
        for number, reference in enumerate(dict.fromkeys(re.findall(r"card_[0-9a-f]{20}", text))):
            text = text.replace(reference, f"card {number}")
        return text

    def _rows(self, name: str) -> list[dict[str, Any]]:
        table = SQLModel.metadata.tables[name]
        with self.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
        left_out = NOT_COMPARED.get(name, ())
        for row in rows:
            if name == "delivery" and row["outcome"] is None:
                # Of what came in the end it is the next transition that tells.
                row["trouble"] = None
        kept = [{key: value for key, value in row.items() if key not in left_out} for row in rows]
        return sorted(kept, key=lambda row: json.dumps(row, default=str, sort_keys=True))

    def _letters(self) -> list[str]:
        """The files in the print folder, and nothing half written."""
        folder = self.outside.settings.print_dir
        return [file.name for file in folder.glob("*") if self.name in file.name or file.name[0] == "."]

    async def _workflow(self, workflow_id: str) -> list[str]:
        """What happened to it, whoever asked for it however often."""
        with suppress(RPCError):
            history = await self.outside.client.get_workflow_handle(workflow_id).fetch_history()
            return [str(event.event_type) for event in history.events]
        return []


def activity_name(run: Callable[..., Any]) -> str:
    found = activity._Definition.must_from_callable(run).name
    assert found
    return found


class OutsideWorld:
    """What all worlds of a test share."""

    def __init__(
        self, settings: Settings, sandbox: Running, client: Client, gateway: Gateway, faults: Faults
    ) -> None:
        self.settings, self.sandbox, self.client, self.gateway = settings, sandbox, client, gateway
        self.faults = faults
        self._stores: dict[str, Engine] = {}

    def world(self, template: Path, store: str = "store") -> World:
        """A new one, with an empty store; the one before it is over, if theirs has not another name."""
        database = self.settings.data_dir / f"{store}.db"
        engine = self._stores.get(store)
        if engine is None:
            # A new engine would compile every statement anew, which takes longer than doing it.
            engine = self._stores[store] = connect(f"sqlite:///{database}")
            self.faults.in_database(engine)
        engine.dispose()
        for file in self.settings.data_dir.glob(f"{store}.db*"):
            file.unlink()
        shutil.copy(template, database)
        return World(uuid4().hex[:12], engine, self)


async def connected(address: str, faults: Faults) -> Client:
    """To a server that may have been started just now."""
    async with asyncio.timeout(30):
        while True:
            with suppress(RuntimeError):
                return await Client.connect(
                    address, data_converter=CONVERTER, interceptors=[BrokenEngine(faults)]
                )
            await asyncio.sleep(0.05)


@asynccontextmanager
async def outside_world(
    settings: Settings, sandbox: Running, address: str, patch: pytest.MonkeyPatch
) -> AsyncIterator[OutsideWorld]:
    """Real mail server, gateway and Temporal, each behind a way that can be cut."""
    faults = Faults()
    client = await connected(address, faults)
    await worker.register_search_attributes(client)
    patch.setattr(letters, "_write", broken_print(faults, letters._write))
    patch.setattr(aiosmtplib.SMTP, "send_message", broken_mail(faults, aiosmtplib.SMTP.send_message))
    async with Gateway(settings) as gateway:
        gateway._http._transport = BrokenHttp(faults)
        gateway._http._mounts = {}
        yield OutsideWorld(settings, sandbox, client, gateway, faults)

"""The settlement's stage with gateway and engine, as a worker does it, in a process of its own: to be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment

from activities import settlement
from gate import Gate
from outside.payments import Gateway
from rules.calendar import JST
from rules.runs import Range, Run
from settings import Settings
from store.database import connect

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def begun(url: str, settings: Settings, address: str, period: str) -> BaseProcess:
    """The process, once it has begun with the stage."""
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_run, args=(url, settings, address, period, there), daemon=True)
    process.start()
    assert here.recv() == "begun"
    return process


def _run(url: str, settings: Settings, address: str, period: str, tell: Connection) -> None:
    settlement.GROUP, settlement.CHARGED_AT_ONCE, settlement.BEGUN_AT_ONCE = 5, 2, 2
    asyncio.run(_settle(url, settings, address, period, tell))


async def _settle(url: str, settings: Settings, address: str, period: str, tell: Connection) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with Gateway(settings) as gateway:
        stage = settlement.Settlement(connect(url), gateway, Gate(client, settings.task_queue))
        tell.send("begun")
        run, everybody = Run(job="settlement", period=period), Range(until="~")
        await ActivityEnvironment().run(stage.settle, run, everybody, datetime.now(JST))

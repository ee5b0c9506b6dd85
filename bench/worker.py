"""The worker of the bare workflow, wired like that of the contracts (worker.py), in a process of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from temporalio.worker import Worker

import worker as keiyaku
from bench.bare import NOTES, QUEUE, Bare, Notes
from gate import connect_client
from settings import load
from store.database import connect


async def main() -> None:
    settings = load()
    engine = connect(settings.database_url, pool_size=keiyaku.RECORDERS)
    NOTES.create(engine, checkfirst=True)
    client = await connect_client(settings, keiyaku.runtime(settings))
    notes = Notes(engine)
    with ThreadPoolExecutor(keiyaku.RECORDERS) as executor:
        await Worker(
            client,
            task_queue=QUEUE,
            workflows=[Bare],
            activities=[notes.insert, notes.nothing],
            activity_executor=executor,
            workflow_runner=keiyaku.runner(settings),
            max_cached_workflows=settings.max_cached_workflows,
            deployment_config=keiyaku.deployment(settings),
        ).run()


if __name__ == "__main__":
    asyncio.run(main())

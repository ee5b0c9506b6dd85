"""A worker accepts a command, stands still until its caller has been told that nothing happened, and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from gate import PATIENCE
from store.tables import EntryRow
from tests.chaos import parts
from tests.chaos.ending import rows
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent


async def test_what_was_answered_with_503_does_not_happen_when_the_worker_goes_on(
    tmp_path: Path, warm: Forks
) -> None:
    order = tmp_path / "order"
    freezing = (sys.executable, "-m", "tests.chaos.freezing_worker", str(order))
    async with parts.parts(parts.planned(tmp_path / "data"), warm, worker=freezing) as service:
        somebody = Insistent(service)
        contract_id = await somebody.apply(payment={"method": "atone"})
        (task,) = (await somebody.operate("/tasks", params={"contract_id": contract_id}))["items"]
        path, body = f"/operator/v1/tasks/{task['task_id']}", {"action": "approve"}

        async def approve() -> httpx.Response:
            headers = {"Authorization": f"Bearer {somebody.operator_token}", "Idempotency-Key": "approve"}
            waits = PATIENCE.total_seconds() + 10
            return await somebody.http.post(path, json=body, headers=headers, timeout=waits)

        before = rows(service, EntryRow, contract_id)
        order.touch()
        answer = await approve()
        assert (answer.status_code, order.exists()) == (503, False)

        os.kill(service.pid("worker"), signal.SIGCONT)
        await asyncio.sleep(5)
        assert rows(service, EntryRow, contract_id) == before

        async with asyncio.timeout(60):
            while (again := await approve()).status_code == 503:
                pass
        assert again.json()["state"] == "preparing", "sent again it is done"

"""For a while there is no worker: what is asked for meanwhile has not happened, what falls due meanwhile keeps its date."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client

from gate import PATIENCE, connect_client
from rules import policy
from rules.calendar import JST
from store.tables import ContractRow, EntryRow
from tests.chaos import parts
from tests.chaos.ending import rows
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts
from tests.chaos.waiting import comes_to
from tests.stack import application
from worker import DEPLOYMENT

JUNE = datetime.fromisoformat("2027-06-01T00:00:00+09:00")
DUE = [
    "contract_ended",
    "cancellation_awaiting_device",
    "cancellation_device_overdue",
    "cancellation_device_charged",
]
SPEED = 400_000  # a month in six seconds


@pytest.fixture
async def service(tmp_path: Path, warm: Forks) -> AsyncIterator[Parts]:
    async with parts.parts(parts.planned(tmp_path / "data", 2, JUNE), warm) as running:
        yield running


@pytest.fixture
async def fast_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Forks) -> AsyncIterator[Parts]:
    file = tmp_path / "policy.toml"
    figures = policy.DEFAULT.read_text()
    # A day takes a fifth of a second: a session would be over, and the contract before its worker is killed.
    for said, instead in (
        ("session_hours = 12", "session_hours = 1000000"),
        ("cancellation_this_month_until = 15", "cancellation_this_month_until = 1"),
    ):
        assert said in figures
        figures = figures.replace(said, instead)
    file.write_text(figures)
    monkeypatch.setenv("KEIYAKU_POLICY_FILE", str(file))
    async with parts.parts(parts.planned(tmp_path / "data", SPEED, JUNE), warm) as running:
        yield running


async def test_what_is_asked_for_meanwhile_has_not_happened_and_another_version_goes_on(
    service: Parts,
) -> None:
    somebody = Insistent(service)
    contract_id = await somebody.apply(payment={"method": "atone"})
    await somebody.do("confirm_application", contract_id, "approve")
    client = await connect_client(service.settings)
    first_version = await version(client, contract_id)
    await service.kill("worker")

    (task,) = (await somebody.operate("/tasks", params={"contract_id": contract_id}))["items"]
    path = f"/operator/v1/tasks/{task['task_id']}"
    answers = await asyncio.gather(
        unanswered(somebody, "/v1/applications", application()),
        unanswered(somebody, path, {"action": "done"}, somebody.operator_token),
    )
    for answer, seconds in answers:
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True), answer.text
        assert seconds < PATIENCE.total_seconds() + 20

    service.change("worker", KEIYAKU_BUILD_ID="another")
    await service.start("worker")
    await service.ready("worker")
    await comes_to(
        [contract_id], lambda: running(client)
    )  # an application that nobody took leaves no workflow
    assert [(row["contract_id"], row["state"]) for row in rows(service, ContractRow)] == [
        (contract_id, "preparing")
    ]

    await somebody.do("report_shipped", contract_id)
    assert await version(client, contract_id) == "another" != first_version

    await comes_to([], lambda: missing(somebody))
    await make_current(client, first_version)
    await comes_to(["worker"], lambda: missing(somebody))  # the one that is alive is given nothing new
    await make_current(client, "another")
    await comes_to([], lambda: missing(somebody))


async def running(client: Client) -> list[str]:
    return [workflow.id async for workflow in client.list_workflows("ExecutionStatus = 'Running'")]


async def missing(somebody: Insistent) -> list[str]:
    """What `/readyz` finds not to answer."""
    answer = (await somebody.http.get("/readyz")).json()
    return list(answer.get("missing", []))


async def make_current(client: Client, build_id: str) -> None:
    """As an operator gives new work to a version."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build_id, identity="somebody"
    )
    await client.workflow_service.set_worker_deployment_current_version(request)


async def unanswered(
    somebody: Insistent, path: str, body: dict[str, Any], token: str | None = None
) -> tuple[httpx.Response, float]:
    """What a POST is answered, and after how long."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    began = time.monotonic()
    answer = await somebody.http.post(path, json=body, headers=headers, timeout=40)
    return answer, time.monotonic() - began


async def version(client: Client, contract_id: str) -> str:
    """The build that worked on the contract last."""
    found = await client.get_workflow_handle(contract_id).describe()
    info = found.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


@pytest.mark.rule("RNT-10")
async def test_what_falls_due_meanwhile_is_kept_in_order_each_on_its_own_date(fast_service: Parts) -> None:
    somebody = Insistent(fast_service)
    contract_id = await somebody.apply(payment={"method": "atone"})
    await somebody.do("confirm_application", contract_id, "approve")
    token = await somebody.sign_in(contract_id)
    await somebody.do("report_shipped", contract_id)
    while True:
        # None is taken on the 25th, and a preview may be too old where a day takes a fifth of a second.
        if (await somebody.request(token, contract_id, "cancellation")).status_code == 202:
            break
    await fast_service.kill("worker")
    (contract,) = rows(fast_service, ContractRow, contract_id)
    ends = datetime.combine(contract["in_force_to"] + timedelta(days=1), datetime.min.time(), JST)
    dates = [ends, ends, ends + timedelta(days=10), ends + timedelta(days=24)]
    while True:
        if await now(somebody) > dates[-1] + timedelta(days=3):
            break
        await asyncio.sleep(0.2)
    shown = await somebody.get(f"/v1/contracts/{contract_id}", token)
    assert shown["state"] == "ended", "computed from its dates, whether or not anybody was there"
    assert rows(fast_service, ContractRow, contract_id)[0]["state"] == "ending"

    back = await now(somebody)
    await fast_service.start("worker")
    await fast_service.ready("worker")
    await somebody.do("receive_device", contract_id)
    late = [row for row in rows(fast_service, EntryRow, contract_id) if row["by"] == "calendar"]
    assert [row["what"] for row in late] == DUE
    assert [row["at"] for row in late] == dates
    assert all(row["recorded_at"] > back for row in late)


async def now(somebody: Insistent) -> datetime:
    return datetime.fromisoformat((await somebody.get("/dev/v1/clock"))["now"])

"""No worker from the 30th to the 3rd, and killed again after that: statements, points and notices are those of a month end
that nothing disturbed, row by row."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from rules import policy
from store.database import connect
from store.ledger import CreditRow, PointRow, StatementLineRow, StatementRow
from store.tables import DeliveryRow
from store.write import table
from tests.chaos.forking import Forks
from tests.chaos.parts import Parts, parts, planned
from tests.line import PASSWORD
from tests.line import application as for_a_line
from tests.stack import application

JUNE = datetime.fromisoformat("2027-06-15T10:00:00+09:00")
"""After the mails of the month: who were members at that hour would not be the same in two lives."""
SPEED = 20_000  # a day in four seconds: what is asked for has a minute until the 28th

DIFFERS = {"billing_number", "next_try_at", "tries"}
"""What is drawn by lot, or counts tries."""

WRITTEN = (StatementRow, StatementLineRow, CreditRow, PointRow, DeliveryRow)
Rows = dict[str, list[str]]


@dataclass
class Life:
    """A small base and what it asks for."""

    service: Parts
    http: httpx.AsyncClient
    ids: list[str] = field(default_factory=list)

    def told_alike(self, row: str) -> str:
        """With what was drawn by lot named by the order in which it came."""
        for number, one in enumerate(self.ids):
            row = row.replace(one, f"number {number}")
        return row

    async def applied(self, body: dict[str, Any]) -> str:
        contract_id = str((await self.ask("POST", "/v1/applications", json=body))["contract_id"])
        self.ids.append(contract_id.removeprefix("k-"))
        return contract_id

    async def ask(self, method: str, path: str, token: str | None = None, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.request(method, path, headers=headers, **request)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    @property
    def operator(self) -> str:
        return next(iter(self.service.settings.operator_names()))

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.ask("GET", "/dev/v1/clock"))["now"])

    async def runs_done(self, *names: str) -> bool:
        found = (await self.ask("GET", "/operator/v1/jobs", self.operator))["items"]
        done = {job["name"] for job in found if (job["progress"] or {}).get("state") == "done"}
        periods = {job["progress"]["period"] for job in found if job["name"] in names and job["progress"]}
        return done >= set(names) and periods == {"2027-06"}

    async def do(self, kind: str, contract_id: str, action: str = "done") -> None:
        params = {"contract_id": contract_id, "kind": kind}
        found = await self.ask("GET", "/operator/v1/tasks", self.operator, params=params)
        path = f"/operator/v1/tasks/{found['items'][0]['task_id']}"
        await self.ask("POST", path, self.operator, json={"action": action})

    async def mailed(self, kind: str, contract_id: str) -> dict[str, Any]:
        """The fields of a mail or letter, once it is there."""
        params = {"kind": kind, "contract_id": contract_id}
        async with asyncio.timeout(20):
            while not (found := (await self.ask("GET", "/dev/v1/outbox", params=params))["items"]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return dict(found[0]["fields"])

    async def signed_in(self, contract_id: str, letter: str, *names: str) -> str:
        fields = await self.mailed(letter, contract_id)
        return str((await self.ask("POST", "/v1/sessions", json={n: fields[n] for n in names}))["token"])

    async def rental(self, **changes: Any) -> tuple[str, str]:
        """In force, and its customer's token."""
        contract_id = await self.applied(application(**changes))
        await self.do("confirm_application", contract_id, "approve")
        await self.do("report_shipped", contract_id)
        return contract_id, await self.signed_in(contract_id, "login", "login_id", "password")

    async def line(self, **changes: Any) -> tuple[str, str]:
        """In force, its customer a member, with a passport ID `hana-…`, and the token."""
        contract_id = await self.applied(for_a_line(**changes))
        await self.do("confirm_application", contract_id, "approve")
        await self.do("report_opening", contract_id)
        token = await self.signed_in(contract_id, "opening_notice", "customer_id", "access_key")
        path = f"/v1/contracts/{contract_id}"
        await self.ask("POST", f"{path}/membership", token, json={"email": "club@example.jp"})
        link = (await self.mailed("membership_link", contract_id))["link"]
        await self.ask("POST", httpx.URL(link).path, json={"password": "sakura-2026"})
        passport = {"name": f"hana-{contract_id[-6:]}", "password": PASSWORD, "line_authentication": False}
        await self.ask("POST", f"{path}/passport-ids", token, json=passport)
        return contract_id, token

    async def buy(self, contract_id: str, kind: str, amount: int) -> None:
        provider = next(iter(self.service.settings.provider_names()))
        who = {"name": f"hana-{contract_id[-6:]}", "password": PASSWORD}
        what = {"provider": "Eiga Channel", "item": "Film", "kind": kind, "amount": amount}
        bought = await self.ask("POST", "/v1/purchases", provider, json=who | what)
        self.ids.append(bought["purchase_id"])

    async def agree(self, token: str, contract_id: str, kind: str, **body: Any) -> None:
        path = f"/v1/contracts/{contract_id}/procedures/{kind}"
        preview = await self.ask("POST", f"{path}/preview", token, json=body)
        await self.ask("POST", path, token, json=body | {"consent": preview["consent"]})


async def lived(folder: Path, warm: Forks, disturbed: bool) -> Rows:
    """From 15 June to 4 July, in eighty seconds."""
    async with parts(planned(folder, SPEED, JUNE), warm) as service, caller(service) as http:
        life = Life(service, http)
        paying = await begun(life)
        await until(life, "2027-06-30T06:00:00")
        if disturbed:
            await service.kill("worker")
        await until(life, "2027-07-02T00:00:00")
        await life.buy(paying[0], "one_off", 80)
        await until(life, "2027-07-03T00:00:00")
        if disturbed:
            await again_and_again(service)
        await until(life, "2027-07-04T00:00:00")
        await settled(life)
        return written(life)


def caller(service: Parts) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.plan.api, timeout=30, trust_env=False)


async def begun(life: Life) -> tuple[str, str]:
    """A small base and what it asks for, all of it before the 28th; the line that goes on buying."""
    paying, owing = await life.line(), await life.line(payment={"method": "invoice"})
    changing, cancelling = await life.rental(), await life.rental(payment={"method": "atone"})
    await life.agree(changing[1], changing[0], "plan_change", plan="wifi-50", course="standard")
    await life.agree(cancelling[1], cancelling[0], "cancellation")
    for contract_id, _ in (paying, owing):
        await life.buy(contract_id, "monthly", 300)
        await life.buy(contract_id, "one_off", 120)
    now = await life.now()
    assert now < JUNE.replace(day=28, hour=0), f"this machine is too slow for the clock: {now}"
    return paying


async def until(life: Life, day: str) -> None:
    to = datetime.fromisoformat(f"{day}+09:00")
    while (now := await life.now()) < to:  # noqa: ASYNC110
        await asyncio.sleep(min((to - now) / SPEED, timedelta(seconds=5)).total_seconds() + 0.01)


async def settled(life: Life) -> None:
    """The runs of the month are done."""
    deadline = asyncio.get_running_loop().time() + 120
    while not await life.runs_done("month-end", "points-grant"):
        found = await life.ask("GET", "/operator/v1/jobs", life.operator)
        assert asyncio.get_running_loop().time() < deadline, found["items"]
        await asyncio.sleep(0.2)


async def again_and_again(service: Parts) -> None:
    """The workers come back, and die at any moment of what they have to catch up with."""
    for _ in range(3):
        await service.start("worker")
        await service.ready("worker")
        await asyncio.sleep(random.uniform(0, 1.5))
        await service.kill("worker")
    await service.start("worker")
    await service.ready("worker")


def written(life: Life) -> Rows:
    """What the runs wrote and told. When somebody was opened or bought something is not the same in two lives."""
    engine = connect(life.service.settings.database_url)
    with engine.begin() as connection:
        found = {
            str(row.__tablename__): sorted(
                life.told_alike(_told(dict(one)))
                for one in connection.execute(select(table(row))).mappings()
                if _by_a_run(dict(one))
            )
            for row in WRITTEN
        }
    engine.dispose()
    return found


def _by_a_run(row: dict[str, Any]) -> bool:
    return str(row.get("delivery_id", "r-")).startswith("r-")


def _told(row: dict[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if name not in DIFFERS}
    if kept.get("kind") in ("purchase", "fee", "deposit", "monthly_fee"):
        del kept["at"]
    return str(kept)


@pytest.mark.timeout(400)
@pytest.mark.rule("BIL-8", "PNT-10")
async def test_a_month_end_without_workers_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Forks
) -> None:
    figures = policy.DEFAULT.read_text().replace("contracts_per_chunk = 10000 ", "contracts_per_chunk = 1 ")
    file = tmp_path / "policy.toml"
    # A session would be over in a second, and the days for a change before they have all been asked for.
    for said, instead in (
        ("session_hours = 12", "session_hours = 1000000"),
        ("plan_change_until = 15", "plan_change_until = 27"),
        ("cancellation_this_month_until = 15", "cancellation_this_month_until = 27"),
        ("settlement_day = 25", "settlement_day = 28"),
    ):
        assert said in figures
        figures = figures.replace(said, instead)
    file.write_text(figures)
    monkeypatch.setenv("KEIYAKU_POLICY_FILE", str(file))
    undisturbed, disturbed = await asyncio.gather(
        lived(tmp_path / "punctual", warm, disturbed=False),
        lived(tmp_path / "late", warm, disturbed=True),
    )
    assert [len(undisturbed[name]) for name in ("statement", "point")] == [4, 2]
    for name, rows in undisturbed.items():
        assert disturbed[name] == rows, name

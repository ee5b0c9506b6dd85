"""No worker from the 30th to the 3rd, and killed again after that: statements, points and notices are those of a month end
that nothing disturbed, row by row."""

from __future__ import annotations

import asyncio
import random
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities import contract
from gate import Gate, connect_client
from rules import policy
from rules.runs import delivery_prefix
from store.database import connect
from store.ledger import PointRow, RunRow, StatementLineRow, StatementRow
from store.tables import DeliveryRow
from tests.chaos.ending import rows
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts, parts, planned
from tests.chaos.waiting import comes_to
from tests.line import PASSWORD
from tests.line import application as for_a_line
from tests.stack import CARD

JUNE = datetime.fromisoformat("2027-06-15T10:00:00+09:00")
"""By a clock that leaves whatever is asked for all the time that it needs."""
LATE_JUNE = datetime.fromisoformat("2027-06-27T12:00:00+09:00")
"""Then a month end comes in seconds."""
SPEED = 20_000  # a day in four seconds

MONTH, FIRST = "2027-06", date(2027, 7, 1)
RUNS = ("month-end", "points-grant")

DIFFERS = {"billing_number", "next_try_at", "tries", "paid_on", "collected_at"}
"""What is drawn by lot, counts tries, or comes with the settlement, to which a slow life may get."""

Rows = dict[str, list[str]]


class Everybody(Insistent):
    """A small base and what it asks for."""

    async def post(self, path: str, token: str | None = None, **body: Any) -> Any:
        answer = await self.ask("POST", path, token, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    async def mailed(self, kind: str, contract_id: str) -> dict[str, Any]:
        """The fields of a mail or letter, once it is there."""
        async with asyncio.timeout(100):
            while not (found := [one for one in await self.outbox(contract_id) if one["kind"] == kind]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return dict(found[0]["fields"])

    async def rental(self, payment: dict[str, str], kind: str, **body: Any) -> None:
        """In force, and something asked for."""
        contract_id = await self.apply(payment=payment)
        await self.do("confirm_application", contract_id, "approve")
        token = await self.sign_in(contract_id)
        await self.do("report_shipped", contract_id)
        answer = await self.request(token, contract_id, kind, **body)
        assert answer.status_code == 202, answer.text

    async def line(self, **changes: Any) -> str:
        """In force, its customer a member, with a passport ID, and something bought."""
        contract_id = str((await self.post("/v1/applications", **for_a_line(**changes)))["contract_id"])
        await self.do("confirm_application", contract_id, "approve")
        await self.do("report_opening", contract_id)
        notice, path = await self.mailed("opening_notice", contract_id), f"/v1/contracts/{contract_id}"
        token = (await self.post("/v1/sessions", **{n: notice[n] for n in ("customer_id", "access_key")}))[
            "token"
        ]
        await self.post(f"{path}/membership", token, email="club@example.jp")
        link = (await self.mailed("membership_link", contract_id))["link"]
        await self.post(httpx.URL(link).path, password="sakura-2026")
        passport = {"name": name(contract_id), "password": PASSWORD, "line_authentication": False}
        await self.post(f"{path}/passport-ids", token, **passport)
        await self.buy(contract_id, "monthly", 300)
        await self.buy(contract_id, "one_off", 120)
        return contract_id

    async def buy(self, contract_id: str, kind: str, amount: int) -> None:
        provider = next(iter(self.service.settings.provider_names()))
        who = {"name": name(contract_id), "password": PASSWORD}
        what = {"provider": "Eiga Channel", "item": "Film", "kind": kind, "amount": amount}
        await self.post("/v1/purchases", provider, **who, **what)

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.get("/dev/v1/clock"))["now"])


def name(contract_id: str) -> str:
    return f"hana-{contract_id[-6:]}"


async def begun(folder: Path, warm: Forks) -> str:
    """A small base, in the store; the line that goes on buying."""
    async with parts(planned(folder, 2, JUNE), warm) as service:
        everybody = Everybody(service)
        buying = await everybody.line()
        await everybody.line(payment={"method": "invoice"})
        await everybody.rental(CARD, "plan_change", plan="wifi-50", course="standard")
        await everybody.rental({"method": "atone"}, "cancellation")
        return buying


async def lived(base: Path, buying: str, folder: Path, warm: Forks, chance: random.Random | None) -> Rows:
    """The base to 4 July, in half a minute, with an engine of its own; disturbed where there is chance."""
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns("temporal.db*", "clock.json", "logs"))
    async with parts(planned(folder, SPEED, LATE_JUNE), warm) as service:
        everybody = Everybody(service)
        await catch_up(service)
        await until(everybody, "2027-06-30T06:00:00")
        if chance:
            await service.kill("worker")
        await until(everybody, "2027-07-02T00:00:00")
        await everybody.buy(buying, "one_off", 80)
        await until(everybody, "2027-07-03T00:00:00")
        if chance:
            await again_and_again(service, chance)
        await until(everybody, "2027-07-04T00:00:00")
        await comes_to(dict.fromkeys(RUNS, "done"), lambda: states(service), within=200)
        return written(service)


async def catch_up(service: Parts) -> None:
    """The engine has never heard of what is in the store."""
    gate = Gate(await connect_client(service.settings), service.settings.task_queue)
    async for _ in contract.catch_up(connect(service.settings.database_url), gate):
        pass


async def until(everybody: Everybody, day: str) -> None:
    to = datetime.fromisoformat(f"{day}+09:00")
    while (now := await everybody.now()) < to:  # noqa: ASYNC110
        await asyncio.sleep(min((to - now) / SPEED, timedelta(seconds=5)).total_seconds() + 0.01)


async def again_and_again(service: Parts, chance: random.Random) -> None:
    """The workers come back, and die at any moment of what they have to catch up with."""
    for _ in range(3):
        await service.start("worker")
        await service.ready("worker")
        await asyncio.sleep(chance.uniform(0, 1.5))
        await service.kill("worker")
    await service.start("worker")
    await service.ready("worker")


async def states(service: Parts) -> dict[str, str]:
    """How the runs of the month stand."""
    found = rows(service, RunRow)
    return {run["job"]: run["state"] for run in found if run["job"] in RUNS and run["period"] == MONTH}


def written(service: Parts) -> Rows:
    """What the runs of the month wrote and told."""
    return {
        str(row.__tablename__): [
            str({column: value for column, value in one.items() if column not in DIFFERS})
            for one in rows(service, row)
            if by_them(one)
        ]
        for row in (StatementRow, StatementLineRow, PointRow, DeliveryRow)
    }


def by_them(row: dict[str, Any]) -> bool:
    prefixes = tuple(delivery_prefix(job, MONTH) for job in RUNS)
    return (
        row.get("period") == MONTH
        or row.get("granted_on") == FIRST
        or str(row.get("delivery_id")).startswith(prefixes)
    )


@pytest.mark.timeout(600)
@pytest.mark.rule("BIL-8", "PNT-10")
async def test_a_month_end_without_workers_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Forks, chance: random.Random
) -> None:
    figures, said = policy.DEFAULT.read_text(), "contracts_per_chunk = 10000 "
    assert said in figures
    file = tmp_path / "policy.toml"
    file.write_text(figures.replace(said, "contracts_per_chunk = 1 "))
    monkeypatch.setenv("KEIYAKU_POLICY_FILE", str(file))
    base = tmp_path / "base"
    buying = await begun(base, warm)
    undisturbed, disturbed = await asyncio.gather(
        lived(base, buying, tmp_path / "punctual", warm, None),
        lived(base, buying, tmp_path / "late", warm, chance),
    )
    assert [len(undisturbed[name]) for name in ("statement", "point", "delivery")] == [4, 2, 4]
    for name, wrote in undisturbed.items():
        assert disturbed[name] == wrote, name

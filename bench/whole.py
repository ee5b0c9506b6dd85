"""`python -m bench.whole`: a whole base is brought in; month end, grant and fiscal-year end over it, and the API beside them.

PostgreSQL, `keiyaku import`, then the parts of `keiyaku up` with a business clock that comes to 1 April. Customers read
and change things at random moments, whether or not those before them were answered, first while nothing else happens.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
import psutil
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from api.callers import issue
from bench import load
from bench.filled import plainly
from bench.flood import PASSWORD
from bench.kinds import PARTY
from bench.purchases import RESULTS, database
from bench.servers import with_service
from credentials import Credentials
from embedded.plan import Plan, clock_saying, keep_clock
from rules.calendar import JST
from settings import PREFIX
from store.database import connect
from store.migrate import upgrade
from store.tables import ContractRow
from store.write import table

MIDNIGHT = datetime(2027, 4, 1, tzinfo=JST)
ON, SPEED, RATE, CALLERS = "2027-03-31", 60, 10.0, 200
RUNS = ("month-end", "fiscal-year", "points-grant")
MOST, WARM = 3.0, 20.0
LINE = PARTY | {
    "product": "line",
    "line_type": "next",
    "two_year_discount": "true",
    "bill_mail": "false",
    "payment_method": "account_transfer",
    "applied_on": "2023-12-10",
    "in_force_from": "2024-01-10",
    "member_since": "2024-02-01",
    "member_email": "hanako@example.jp",
    "points": "2024-05-01:100;2026-05-01:200",
}
console = Console(highlight=False)
Took = list[tuple[float, float]]
"""When each call was due, and the seconds until it was answered."""


def write_base(path: Path, size: int) -> None:
    """Lines whose customers are members, with a lot that lapses on 31 March 2027 and one that does not."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, ["source_id", "customer_id", *LINE])
        rows.writeheader()
        for number in range(size):
            rows.writerow({"source_id": f"L-{number}", "customer_id": f"CAF{number:010}", **LINE})


def bring_in(path: Path, url: str, data: Path) -> dict[str, float]:
    """`keiyaku import`: rows a second, and the most memory that it took, in MB."""
    epoch = clock_saying(datetime.fromisoformat(f"{ON}T00:00:00+09:00"), SPEED)
    given = {"database_url": url, "data_dir": str(data), "production": "false", **epoch}
    env = os.environ | {PREFIX + name.upper(): value for name, value in given.items()}
    began, most = time.monotonic(), 0.0
    process = psutil.Popen([sys.executable, "-m", "cli", "import", str(path), "--on", ON], env=env)
    while process.poll() is None:
        with_children = [process, *process.children(recursive=True)]
        most = max(most, sum(one.memory_info().rss for one in with_children if one.is_running()) / 1e6)
        time.sleep(1)
    if process.returncode:
        raise SystemExit(f"bench.whole: the import ended with {process.returncode}")
    return {"seconds": time.monotonic() - began, "memory_mb": most}


class Customers:
    """Some of the customers, and what they do: three times out of four they look, else they add a passport ID."""

    def __init__(self, http: httpx.AsyncClient, secret: str, contracts: list[tuple[str, str]]) -> None:
        self.http, self.took, self.number = http, Took(), 0
        self.faults: list[str] = []
        self._who = [
            (contract_id, issue(Credentials(secret), account_id, MIDNIGHT, 10_000)[0])
            for contract_id, account_id in contracts
        ]

    async def call(self) -> None:
        self.number += 1
        contract_id, token = self._who[self.number % len(self._who)]
        path, head = f"/v1/contracts/{contract_id}", {"Authorization": f"Bearer {token}"}
        what = self.number // len(self._who) + self.number
        if what % 4 == 0:
            body = {"name": f"b{uuid4().hex[:12]}", "password": PASSWORD, "line_authentication": True}
            answer = await self.http.post(f"{path}/passport-ids", json=body, headers=head)
        else:
            part = ("", "/timeline", "/points")[what % 4 - 1]
            answer = await self.http.get(path + part, headers=head)
        assert answer.status_code in (200, 201, 409), answer.text

    async def come(self) -> None:
        """At random, `RATE` a second, until cancelled."""
        chance, due, tasks = random.Random(1), time.perf_counter(), set[asyncio.Task[None]]()

        async def one(due: float) -> None:
            try:
                self.took.append((time.time(), await load.timed(self.call, due)))
            except (AssertionError, httpx.HTTPError) as fault:
                self.faults.append(str(fault) or type(fault).__name__)

        while True:
            due += chance.expovariate(RATE)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.add(task := asyncio.create_task(one(due)))
            task.add_done_callback(tasks.discard)

    def p99(self, since: float, until: float) -> tuple[float, int]:
        """Of the calls answered between two instants; how many they were."""
        took = sorted(seconds for at, seconds in self.took if since <= at <= until)
        return (took[len(took) * 99 // 100], len(took)) if took else (0.0, 0)


async def measure(made: Plan, contracts: list[tuple[str, str]]) -> dict[str, Any]:
    """The p99 while nothing else happens, and during each run."""
    operator = {"Authorization": f"Bearer {next(iter(made.settings.operator_names()))}"}
    secret = made.settings.secret_key.get_secret_value()
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=made.api, timeout=60, trust_env=False, limits=limits) as http:
        customers = Customers(http, secret, contracts)
        coming = asyncio.create_task(customers.come())
        await asyncio.sleep(WARM)
        found: dict[str, Any] = {"idle": {"from": time.time()}}
        while not all(found.get(name, {}).get("until") for name in RUNS):
            await asyncio.sleep(1)
            if customers.faults:
                raise SystemExit(f"bench.whole: a customer got {customers.faults[0]}")
            jobs = (await http.get("/operator/v1/jobs", headers=operator)).json()["items"]
            for job in jobs:
                if job["name"] in RUNS and job["progress"]:
                    seen(found, job["name"], job["progress"])
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    for part in found.values():
        part["p99"], part["calls"] = customers.p99(part["from"], part["until"])
    return found


def seen(found: dict[str, Any], name: str, progress: dict[str, Any]) -> None:
    """What a look at the runs tells."""
    now = time.time()
    found["idle"].setdefault("until", now)
    if name not in found:
        found[name] = {"from": now}
    part = found[name]
    if progress["state"] != "running" and "until" not in part:
        part |= {"until": now, "state": progress["state"], "contracts": progress["done"]}
        console.print(f"  {name}: {part['contracts']:,} contracts in {now - part['from']:.0f} s")


def write_out(url: str) -> None:
    """What came in is on disk: the API is measured beside the runs, not beside what an import leaves to be written."""
    engine = connect(url)
    plainly(engine, "checkpoint")
    engine.dispose()


def some_of(url: str) -> list[tuple[str, str]]:
    """Contracts and their accounts, for the customers who come meanwhile."""
    engine = connect(url)
    rows = table(ContractRow)
    with engine.begin() as connection:
        found = connection.execute(select(rows.c.contract_id, rows.c.account_id).limit(CALLERS))
        some = [(str(contract_id), str(account_id)) for contract_id, account_id in found]
    engine.dispose()
    return some


def show(brought: dict[str, float], found: dict[str, Any], size: int) -> None:
    made = Table(
        "", "contracts", "seconds", "calls", "p99, ms", "against idle", "wanted", header_style="bold"
    )
    seconds = brought["seconds"]
    made.add_row("import", f"{size:,}", f"{seconds:.0f} ({brought['memory_mb']:.0f} MB)", "", "", "", "")
    idle = found["idle"]["p99"]
    for name, part in found.items():
        took, p99 = part["until"] - part["from"], part["p99"]
        told = (f"{took:.0f}", str(part["calls"]), f"{1000 * p99:.0f}", f"{p99 / idle:.2f}")
        made.add_row(name, f"{part.get('contracts', 0):,}", *told, f"≤ {MOST:g}")
    console.print(made)


def main(size: Annotated[int, typer.Option(min=1000)] = 1_000_000, results: Path = RESULTS) -> None:
    """Bring a base in, and measure what a day of runs over it does to the API."""
    with (
        database() as url,
        tempfile.TemporaryDirectory(prefix="keiyaku-bench-", ignore_cleanup_errors=True) as folder,
    ):
        upgrade(url)
        base = Path(folder) / "base.csv"
        write_base(base, size)
        data = Path(folder) / "data"
        data.mkdir()
        brought = bring_in(base, url, data)
        write_out(url)
        keep_clock(data, MIDNIGHT - timedelta(hours=2), SPEED)
        work = partial(measure, contracts=some_of(url))
        found = asyncio.run(with_service(url, data, work, SPEED))
    show(brought, found, size)
    now = datetime.now(UTC)
    results.mkdir(parents=True, exist_ok=True)
    told = {"at": now.isoformat(timespec="seconds"), "machine": {"cpus": os.cpu_count()}, "contracts": size}
    path = results / f"whole-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(told | {"import": brought, "runs": found}, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)

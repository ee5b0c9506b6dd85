"""`python -m bench.flood`: how long a purchase takes over HTTP, alone and beside a flood of wrong logins (IDN-5)."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer
from rich.console import Console
from sqlalchemy import update

from bench import load
from bench.purchases import LINES, RESULTS, database, prepare
from bench.servers import with_service
from credentials import hash_password
from embedded.plan import Plan
from store.database import connect
from store.migrate import upgrade
from store.tables import PassportIdRow
from store.write import table

AT_ONCE, RATE, MOST = 8, 8.0, 1.5
PASSWORD = "sakura88"  # noqa: S105 - of IDs that live as long as the run


class Flood:
    """Wrong logins, each under a name of its own so that no lock holds it up."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http, self.tried = http, 0

    async def __call__(self) -> None:
        while True:
            wrong = {"login_id": f"KY{uuid4().hex[:8]}", "password": "wrong"}
            answer = await self.http.post("/v1/sessions", json=wrong)
            assert answer.status_code == 401, answer.text
            self.tried += 1


def purchase(http: httpx.AsyncClient, token: str, number: int) -> Callable[[], Awaitable[None]]:
    body = {
        "name": f"name-{number % LINES}",
        "password": PASSWORD,
        "provider": "Eiga Channel",
        "item": "Film",
    }
    headers = {"Authorization": f"Bearer {token}"}

    async def call() -> None:
        answer = await http.post(
            "/v1/purchases",
            json=body | {"kind": "one_off", "amount": 1},
            headers=headers | {"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.text

    return call


async def p99(http: httpx.AsyncClient, token: str, calls: int, seed: int) -> float:
    took = sorted(await load.at_rate([purchase(http, token, n) for n in range(calls)], RATE, seed))
    return took[len(took) * 99 // 100]


async def measure(made: Plan, rounds: int, calls: int) -> dict[str, Any]:
    """Each round alone, then beside the flood. Before the first everything is called once."""
    found: dict[str, Any] = {"alone": [], "flooded": [], "logins_a_second": []}
    token = next(iter(made.settings.provider_names()))
    async with httpx.AsyncClient(base_url=made.api, timeout=60, trust_env=False) as http:
        await p99(http, token, LINES, seed=-1)
        for turn in range(rounds):
            found["alone"].append(await p99(http, token, calls, turn))
            flood, began = Flood(http), time.perf_counter()
            flooding = [asyncio.create_task(flood()) for _ in range(AT_ONCE)]
            found["flooded"].append(await p99(http, token, calls, turn))
            found["logins_a_second"].append(flood.tried / (time.perf_counter() - began))
            for one in flooding:
                one.cancel()
            await asyncio.gather(*flooding, return_exceptions=True)
    return found


def prepare_known(url: str) -> None:
    """Passport IDs whose password is known, each of a line of its own."""
    upgrade(url)
    engine, ids = connect(url), table(PassportIdRow)
    prepare(engine)
    with engine.begin() as connection:
        known = {"password_hash": hash_password(PASSWORD), "line_authentication": False}
        connection.execute(update(ids).values(**known))
    engine.dispose()


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    calls: Annotated[int, typer.Option(min=8)] = 200,
    results: Path = RESULTS,
) -> None:
    """Measure purchases beside a flood of logins."""
    with (
        database() as url,
        tempfile.TemporaryDirectory(prefix="keiyaku-bench-", ignore_cleanup_errors=True) as folder,
    ):
        prepare_known(url)
        work = partial(measure, rounds=rounds, calls=calls)
        found = asyncio.run(with_service(url, Path(folder), work))
    ratio = statistics.median(a / b for a, b in zip(found["flooded"], found["alone"], strict=True))
    medians = {name: round(statistics.median(one), 3) for name, one in found.items()}
    Console().print(f"p99 of a purchase, seconds: {medians}, ratio {ratio:.2f}, wanted ≤ {MOST}")
    now = datetime.now(UTC)
    results.mkdir(parents=True, exist_ok=True)
    how = {"rounds": rounds, "calls": calls, "purchases_a_second": RATE, "flood_at_once": AT_ONCE}
    told = {"at": now.isoformat(timespec="seconds"), "how": how, "flood": {"ratio": ratio, "rounds": found}}
    (results / f"flood-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)

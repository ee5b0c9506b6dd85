"""Switch-overs under eight readers while worker, API, Temporal and database are killed (COL-6).

KEIYAKU_TEST_KILLS says how often, on each database.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url

from api.callers import issue
from credentials import Credentials
from rules.calendar import JST
from settings import Settings
from store import points
from store.database import DOWN, connect, reading
from store.ledger import MemberRow, PointRow
from store.migrate import upgrade
from store.points_grant import ledger_row
from store.tables import ContractRow, DeletionRow, DeliveryRow, PassportIdRow
from store.write import insert, table
from tests.chaos import parts
from tests.chaos.forking import Forks
from tests.chaos.insistent import Insistent
from tests.chaos.parts import Parts
from tests.chaos.reading import IDS, POINTS, Readers, Seen
from tests.database import DATABASES, postgres
from tests.properties.lived import Lived, words

KILLS = int(os.environ.get("KEIYAKU_TEST_KILLS", "4"))
BEGINS = datetime(2027, 6, 10, 12, tzinfo=JST)
AT_ONCE, SEED = 3, 20270610
# Whoever is not answered when the killed part is up again goes on asking, through so many kills more.
BEHIND = 2
# So that a key whose API was killed is free again in two seconds.
SPEED = 10
VICTIMS = {
    "sqlite": ("worker", "temporal", "api"),
    "postgresql": ("worker", "temporal", "api", "database"),
}


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each in turn; PostgreSQL on a server of its own, as it is killed."""
    if request.param == "sqlite":
        yield request.param
        return
    with postgres() as server:
        monkeypatch.setenv("KEIYAKU_DATABASE_URL", server.new_database())
        yield request.param


@pytest.mark.timeout(300 + 20 * KILLS)
@pytest.mark.rule("COL-3", "COL-4", "COL-6")
async def test_no_reader_ever_sees_a_line_that_is_neither_switched_over_nor_not(
    database: str, tmp_path: Path, warm: Forks
) -> None:
    planned = parts.planned(tmp_path / "data", speed=SPEED, now=BEGINS)
    upgrade(planned.settings.database_url)
    engine = connect(planned.settings.database_url)
    lines = [taken_up(engine, planned.settings, number) for number in range(1, AT_ONCE * KILLS + 1)]
    chance = random.Random(SEED)
    async with parts.parts(planned, warm) as service:
        readers = Readers(service, lines, SEED)
        async with asyncio.TaskGroup() as everybody:
            for number in range(8):
                everybody.create_task(readers.poll(number))
            asked, began = list[asyncio.Task[None]](), time.monotonic()
            for turn in range(KILLS):
                readers.hot = lines[max(turn - BEHIND, 0) * AT_ONCE : (turn + 1) * AT_ONCE]
                victim = VICTIMS[database][turn % len(VICTIMS[database])]
                asked += await switched_over(service, lines[turn * AT_ONCE :][:AT_ONCE], victim, chance)
                late = len(asked) - BEHIND * (AT_ONCE - 1)
                await asyncio.gather(*asked[: max(late, 0)])
                del asked[: max(late, 0)]
            await asyncio.gather(*asked)
            readers.stopped, took = True, time.monotonic() - began
    counts = await endings(engine, lines)
    told = f"{KILLS} kills in {took:.0f} s, {readers.reads}, switched over: {sum(counts)} of {len(lines)}"
    print(f"\n{told}")  # noqa: T201
    assert readers.reads[False] and readers.reads[True]
    assert sum(counts) >= len(lines) * 2 // 3


def taken_up(engine: Engine, settings: Settings, number: int) -> Seen:
    """A line with IDs and a monthly item whose number the other operator has taken up, as it stands in the store."""
    now = BEGINS - timedelta(days=1)
    line = Lived(engine, number, now, cap=50000, discount=True)
    holds_points(engine, line.name, now)
    for one in range(IDS):
        line.adds(f"i-{number}-{one}", f"name-{number}-{one}", None, now)
    item = {"purchase_id": f"u-{number}", "kind": "monthly", "amount": 500, "cancellation_fee": 1000}
    line.buys({"contract_id": line.name, "passport_id": f"i-{number}-0"}, item, True, now)
    line.knows(now)
    approval = f"A{number:010}"
    line.personal = {"number": {"number": approval, "contract_id": line.name}}
    line.ask(words(now), "conversion", {})
    line.arrives()
    procedure_id = line.pending("conversion")
    assert line.advance(words(now), procedure_id, "take_up") is None
    credentials = Credentials(settings.secret_key.get_secret_value())
    token, _ = issue(credentials, f"a-{number}", BEGINS, 1000)
    return Seen(line.name, procedure_id, approval, token)


def holds_points(engine: Engine, contract_id: str, joined: datetime) -> None:
    """A member with two lots."""
    member = {"contract_id": contract_id, "email": "hanako@example.jp", "joined_at": joined}
    lots = [
        ledger_row(contract_id, date(2027, month, 1), date(2030, 3, 31), "grant", "", POINTS // 2, joined)
        for month in (5, 6)
    ]
    with engine.begin() as connection:
        insert(connection, MemberRow, [member | {"counted_from": joined, "left_at": None}])
        insert(connection, PointRow, lots)


async def switched_over(
    service: Parts, lines: list[Seen], victim: str, chance: random.Random
) -> list[asyncio.Task[None]]:
    """All at once, a part killed on the way; the first of them is asked for only once. Returns who still asks."""
    asked = [asyncio.create_task(ask(service, line)) for line in lines]
    await asyncio.sleep(chance.uniform(0, 0.4))
    asked[0].cancel()
    if victim == "database":
        kill_database(service)
    else:
        await service.kill(victim)
        await service.start(victim)
        await service.ready(victim)
    with suppress(asyncio.CancelledError):
        await asked[0]
    return asked[1:]


async def ask(service: Parts, line: Seen) -> None:
    somebody = Insistent(service)
    path = f"/operator/v1/conversions/{line.number}/switch-over"
    answer = await somebody.ask("POST", path, somebody.operator_token)
    assert (answer.status_code, answer.json()["state"]) == (200, "converted"), answer.text


def kill_database(service: Parts) -> None:
    """One of its processes: the server then drops all connections and recovers from its log, as after a crash."""
    url = make_url(service.settings.database_url)
    socket, name = str(url.query["host"]), str(url.database)
    with psycopg.connect(host=socket, user="postgres", dbname=name) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    service.kills += 1


async def endings(engine: Engine, lines: list[Seen]) -> list[bool]:
    """Who was switched over. Where the database was killed last, it may have yet to recover."""
    while True:
        with suppress(*DOWN):
            return [ending(engine, line) for line in lines]
        await asyncio.sleep(0.1)


def ending(engine: Engine, line: Seen) -> bool:
    """Whether it was switched over: wholly, or not at all."""
    with reading(engine).begin() as connection:

        def rows(row: type, **more: str) -> int:
            found = table(row)
            wanted = [found.c[name] == value for name, value in more.items()]
            mine = select(func.count()).where(found.c.contract_id == line.contract_id, *wanted)
            return int(connection.execute(mine).scalar_one())

        over = rows(ContractRow, state="converted") == 1
        left = rows(PassportIdRow), rows(DeletionRow), rows(DeliveryRow, kind="deletion_certificate")
        lots = rows(PointRow, what="grant"), rows(PointRow, what="forfeit")
        held = sum(lot.left for lot in points.lots(connection, line.contract_id, BEGINS))
    assert left == ((0, IDS, 1) if over else (IDS, 0, 0)), (line, left)
    assert (lots, held) == (((2, 2), 0) if over else ((2, 0), POINTS)), (line, lots, held)
    return over

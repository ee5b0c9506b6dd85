"""`python -m bench.base`: the runs over the whole base against the same work as one bare SQL statement, in one run.

A base of lines is made in the database, all of them members with the discount. Then, each on its own month: the monthly
grant, bare (one INSERT … SELECT, one transaction), by `activities.runs` with one stream, and with four; the yearly lapse
likewise; the month's statements, once and again. `whole` adds to the chunks what comes before and after them: counting
whom the run concerns, and proving that all were dealt with. What counts is the ratio. Each round has a database of its
own, so that none reads what those before it wrote, nor the memory that they took; who goes first changes with the round.
"""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from activities.runs import Runs
from bench.filled import fill, plainly, typed
from bench.purchases import RESULTS, database
from rules import jobs, points, policy
from rules.clock import Clock
from rules.runs import Range, Reached, Run
from store import jobs as proof
from store import runs as store
from store.database import connect
from store.migrate import upgrade

STREAMS = 4
console = Console(highlight=False)
Sizes = Annotated[str, typer.Option(help="How many contracts, by commas.")]

# The same work as a person would write it: nothing is said of ranges, of what is there already, or of progress.
BARE_GRANT = """
insert into point (contract_id, granted_on, what, ref, points, lapses_on, at)
select m.contract_id, :on, 'grant', '', case f.item when 'light' then 50 else case
    when m.joined_at >= :first then 100 when m.joined_at >= :second then 200
    when m.joined_at >= :third then 300 when m.joined_at >= :fourth then 400 else 500 end end, :lapses, :at
from member m join contract c on c.contract_id = m.contract_id
left join fee f on f.contract_id = m.contract_id and f.part = 'base' and f.first_day <= :on
    and (f.last_day is null or f.last_day >= :on)
where m.joined_at <= :at and m.counted_from <= :at and (m.left_at is null or m.left_at > :at)
  and c.two_year_discount and c.in_force_from <= :on and (c.in_force_to is null or c.in_force_to >= :on)
  and (c.ended_at is null or c.ended_at > :at)
  and not exists (select 1 from block b where b.contract_id = m.contract_id and b.from_at <= :at
                  and (b.until_at is null or b.until_at > :at))
"""
BARE_LAPSE = """
insert into point (contract_id, granted_on, what, ref, points, lapses_on, at)
select contract_id, granted_on, 'lapse', '', -sum(points), lapses_on, :at
from point where lapses_on = :lapses group by contract_id, granted_on, lapses_on having sum(points) > 0
"""


class Base:
    """One database with so many contracts, and what was measured on it, in seconds."""

    def __init__(self, url: str, size: int, seconds: dict[str, list[float]]) -> None:
        self.engine = connect(url, pool_size=STREAMS + 1)
        self.size, self.seconds = size, seconds
        # No mail, no gateway, no engine: chunks reach none of them.
        nothing: Any = None
        self.runs = Runs(self.engine, Clock(), nothing, nothing)

    @property
    def postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def measure(self, name: str, work: Callable[[], object]) -> None:
        self.tidy_up()
        self.note(name, seconds(work))

    def measure_run(self, name: str, job: str, period: str, streams: int = 1) -> None:
        """Its chunks, and the whole of it."""
        self.tidy_up()
        before = seconds(partial(self.count, job, period))
        chunks = seconds(partial(self.run, job, period, streams))
        after = seconds(partial(self.prove, job, period))
        self.note(name, chunks)
        self.note(f"{name}, whole", before + chunks + after)

    def tidy_up(self) -> None:
        """Between two runs of a real base lie days: the database has tidied up and written out what was before it."""
        for tidying in (
            ("vacuum analyze", "checkpoint") if self.postgresql else ("pragma wal_checkpoint(truncate)",)
        ):
            plainly(self.engine, tidying)

    def note(self, name: str, took: float) -> None:
        self.seconds.setdefault(name, []).append(took)
        console.print(f"  {name}: {took:.2f} s, {self.size / took:,.0f} contracts a second")

    def bare(self, statement: str, job: str, period: str) -> None:
        on, figures = jobs.following(period), policy.current()
        lapses = points.lapses_on(on, figures) if job == "points-grant" else on - timedelta(days=1)
        given: dict[str, Any] = {"on": on, "at": jobs.due_at(figures.job(job), period), "lapses": lapses}
        for year, name in enumerate(("first", "second", "third", "fourth"), 1):
            given[name] = points.joined_from(on, year)
        named = {name: value for name, value in given.items() if f":{name}" in statement}
        with self.engine.begin() as connection:
            connection.execute(typed(statement), named)

    def run(self, job: str, period: str, streams: int = 1) -> None:
        """All chunks of a run, as the worker does them, in so many streams at once."""
        asked = Run(job=job, period=period)
        due = jobs.due_at(policy.current().job(job), period)
        with self.engine.begin() as connection:
            store.begin(connection, job, period, due, due, self.size)
            parts = store.ranges(connection, streams, policy.current().runs.least_per_stream)
        with ThreadPoolExecutor(streams) as threads:
            list(threads.map(partial(self._all, asked), parts))

    def _all(self, asked: Run, part: Range) -> None:
        reached = Reached(last=part.after)
        while reached.last is not None:
            reached = self.runs.chunk(asked, reached, part.until)

    def warm_up(self) -> None:
        """Chunks of nobody, and a first grant: a process builds its statements and connections once in its life, whatever
        rows a second it makes of them, and a ledger is empty once in its life, which the first to write would gain by."""
        for job, period in (("fiscal-year", "FY2020"), ("month-end", "2020-05")):
            self.runs.chunk(Run(job=job, period=period), Reached(last=""), "")
        self.run("points-grant", "2020-05", STREAMS if self.postgresql else 1)

    def count(self, job: str, period: str) -> int:
        """Whom a run concerns, as it begins."""
        with self.engine.begin() as connection:
            return proof.expected(connection, Run(job=job, period=period))

    def prove(self, job: str, period: str) -> None:
        """As a run ends. Raises SystemExit where it did not deal with all of them: measuring it was measuring nothing."""
        run = Run(job=job, period=period)
        with self.engine.begin() as connection:
            expected, left = proof.expected(connection, run), proof.left(connection, run, self.size)
        if expected != self.size or left:
            raise SystemExit(f"bench.base: {job} of {period} concerns {expected} contracts, left {left[:10]}")


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def measure(base: Base, turn: int) -> None:
    """One round. Grants in fiscal years of their own, so that the lots of each lapse by themselves; in their order, as
    what is written in between others costs more."""
    streams = (1, STREAMS) if base.postgresql else (1,)
    kinds = ["bare", *(f"{n} stream{'s' if n > 1 else ''}" for n in streams)]
    order = kinds[:: 1 if turn % 2 == 0 else -1]
    for job, statement in (("points-grant", BARE_GRANT), ("fiscal-year", BARE_LAPSE)):
        for number, kind in enumerate(order):
            period = f"{2021 + number}-05" if job == "points-grant" else f"FY{2023 + number}"
            if kind == "bare":
                base.measure(f"{job}, {kind}", partial(base.bare, statement, job, period))
            else:
                base.measure_run(f"{job}, {kind}", job, period, streams[kinds.index(kind) - 1])
                if kind == kinds[1]:
                    base.measure_run(f"{job}, {kind} again", job, period)
    for again in ("", " again"):
        base.measure_run(f"month-end, 1 stream{again}", "month-end", "2021-06")
    if base.postgresql:
        base.measure_run(f"month-end, {STREAMS} streams", "month-end", "2021-07", STREAMS)


def on_database(kind: str, size: int, rounds: int) -> dict[str, Any]:
    console.print(f"[bold]{size:,} contracts on {kind}[/bold]")
    seconds, memory = dict[str, list[float]](), list[dict[str, float]]()
    # The shorter a run takes, the more any other program's turn shows.
    for turn in range(rounds * (1 if size > 100_000 else 2 if size > 10_000 else 4)):
        with a_database(kind) as url:
            upgrade(url)
            base = Base(url, size, seconds)
            base.measure("fill", partial(fill, base.engine, size))
            base.warm_up()
            with watched() as found:
                measure(base, turn)
            base.engine.dispose()
        memory.append(found)
    most = max(memory, key=lambda found: found["most"] - found["before"])
    return {"database": kind, "contracts": size, "seconds": seconds, "memory_mb": most}


@contextmanager
def a_database(kind: str) -> Iterator[str]:
    if kind == "postgresql":
        with database() as url:
            yield url
        return
    with TemporaryDirectory(prefix="keiyaku-bench-") as folder:
        yield f"sqlite:///{folder}/keiyaku.db"


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """The memory of this process before and at its highest, in MB."""
    here, over = psutil.Process(), threading.Event()
    found = {"before": here.memory_info().rss / 1e6, "most": 0.0}

    def watch() -> None:
        while not over.wait(0.2):
            found["most"] = max(found["most"], here.memory_info().rss / 1e6)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield found
    finally:
        over.set()
        watching.join()


def ratios(found: dict[str, Any]) -> Iterator[tuple[str, float, str]]:
    """What is wanted: name, ratio of speeds, limit; without a limit what only has to be known."""
    seconds = found["seconds"]

    def faster(one: str, other: str) -> float:
        return float(statistics.median(seconds[other]) / statistics.median(seconds[one]))

    for job in ("points-grant", "fiscal-year"):
        for streams, least in (("1 stream", "≥ 0.85"), (f"{STREAMS} streams", "≥ 1.2")):
            if f"{job}, {streams}" in seconds:
                yield f"{job}, {streams} / bare", faster(f"{job}, {streams}", f"{job}, bare"), least
                yield (
                    f"{job}, {streams}, whole / bare",
                    faster(f"{job}, {streams}, whole", f"{job}, bare"),
                    "",
                )
    for job in ("points-grant", "fiscal-year", "month-end"):
        first, again = f"{job}, 1 stream", f"{job}, 1 stream again"
        yield f"{job} again / first", faster(again, first), "≥ 3"
        yield f"{job} again / first, whole", faster(f"{again}, whole", f"{first}, whole"), ""
        yield f"{job}, chunks / whole", 1 / faster(first, f"{first}, whole"), ""


def growth(found: list[dict[str, Any]]) -> Iterator[tuple[str, float, str]]:
    """How much longer ten times as many take; the bare statements' own growth is what the machine makes of them."""
    by_size = {one["contracts"]: one["seconds"] for one in found if one["database"] == "postgresql"}
    if {100_000, 1_000_000} <= set(by_size):
        for name in by_size[100_000]:
            if name.endswith(("1 stream", "bare")):
                longer = statistics.median(by_size[1_000_000][name]) / statistics.median(
                    by_size[100_000][name]
                )
                yield name, longer, "≤ 11" if name.endswith("stream") else ""


def show(found: list[dict[str, Any]]) -> None:
    made = Table("", "ratio", "wanted", title="Runs over the whole base", header_style="bold")
    for one in found:
        for name, ratio, wanted in ratios(one):
            made.add_row(f"{one['database']}, {one['contracts']:,}: {name}", f"{ratio:.2f}", wanted)
        grown = one["memory_mb"]["most"] - one["memory_mb"]["before"]
        made.add_row(f"{one['database']}, {one['contracts']:,}: memory", f"+{grown:.0f} MB", "flat")
    for name, ratio, wanted in growth(found):
        made.add_row(f"1,000,000 against 100,000: {name}", f"{ratio:.1f}", wanted)
    console.print(made)


def main(
    postgresql: Sizes = "10000,100000,1000000",
    sqlite: Sizes = "10000,100000",
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    results: Path = RESULTS,
) -> None:
    """Measure the runs over the whole base."""
    sizes = [("sqlite", size) for size in sqlite.split(",") if size]
    sizes += [("postgresql", size) for size in postgresql.split(",") if size]
    found = [on_database(kind, int(size), rounds) for kind, size in sizes]
    show(found)
    now = datetime.now(UTC)
    results.mkdir(parents=True, exist_ok=True)
    told = {"at": now.isoformat(timespec="seconds"), "machine": {"cpus": os.cpu_count()}, "bases": found}
    path = results / f"base-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(told, indent=2) + "\n")
    console.print(f"Round by round in {path}")


if __name__ == "__main__":
    typer.run(main)

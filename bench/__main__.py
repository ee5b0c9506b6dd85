"""`python -m bench`, `keiyaku bench`, `make bench`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from temporalio.service import RPCError

from bench import counts, measure, report
from bench.kinds import BareStart, BareUpdate, PlanChange, Signup
from bench.measure import Pair
from bench.servers import with_servers
from embedded.problem import Problem
from embedded.supervisor import Stopped
from gate import Unavailable, connect_client
from rules.clock import Clock
from settings import Settings, SettingsError
from store.database import connect

console = Console(highlight=False)
Say = Callable[[str], None]
Rounds = Annotated[int, typer.Option(min=1, help="How often ours and the bare ones take turns.")]
Calls = Annotated[int, typer.Option(min=8, help="Calls of one kind in a round.")]
Only = Annotated[str, typer.Option(help="rates, latencies (which need the rates), counts or all.")]
Which = Annotated[str, typer.Option(help="plan-change, signup or both.")]
Results = Annotated[Path, typer.Option(help="Where the JSON goes.", show_default=False)]


def main(
    rounds: Rounds = 5,
    calls: Calls = 300,
    only: Only = "all",
    which: Which = "both",
    results: Results = report.RESULTS,
) -> None:
    """Measure Keiyaku against bare Temporal, on one server in one run."""
    began, pairs, found = time.monotonic(), [], []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Starting …", total=None)

            def say(what: str) -> None:
                progress.update(task, description=what)

            if only != "counts":
                pairs = asyncio.run(_ratios(rounds, calls, only != "rates", which, say))
            if only in ("all", "counts"):
                found = asyncio.run(_counts(say))
    except (Problem, SettingsError) as problem:
        raise SystemExit(f"keiyaku bench: {problem}") from None
    except (Unavailable, RPCError) as fault:
        raise SystemExit(
            f"keiyaku bench: a call was not answered in time; is the machine busy? ({fault!r})"
        ) from None
    except (Stopped, KeyboardInterrupt):
        console.print("Stopped.")
        raise SystemExit(130) from None
    report.show(console, pairs, found)
    how: dict[str, Any] = {"rounds": rounds, "calls": calls, "seconds": round(time.monotonic() - began)}
    path = report.write(results, pairs, found, how)
    console.print(f"Measured in {how['seconds']} seconds; round by round in {path}")


async def _counts(say: Say) -> list[counts.Count]:
    return await counts.count(say)


async def _ratios(rounds: int, calls: int, timed: bool, which: str, say: Say) -> list[Pair]:
    pairs: list[Pair] = []

    async def work(settings: Settings) -> None:
        pairs.extend(await _pairs(settings, which))
        for pair in pairs:
            await measure.rates(pair, rounds, calls, say)
            if timed:
                await measure.latencies(pair, rounds, calls, say)

    await with_servers(work, say)
    return pairs


async def _pairs(settings: Settings, which: str) -> list[Pair]:
    client, engine = await connect_client(settings), connect(settings.database_url)
    clock = Clock(settings.clock_speed, settings.clock_epoch)
    how = (client, engine, clock, settings.task_queue)
    update, start = partial(BareUpdate, client), partial(BareStart, client)
    found = [
        Pair(PlanChange(*how), update("insert"), (update("nothing"), update("upsert"))),
        Pair(Signup(*how), start("insert"), (start("nothing"),)),
    ]
    return [pair for pair in found if which in ("both", pair.ours.name.replace(" ", "-"))]


if __name__ == "__main__":
    typer.run(main)

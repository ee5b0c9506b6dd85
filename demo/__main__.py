"""`python -m demo`, `keiyaku demo`."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from demo import picture, terminal
from demo.clock import Clock
from demo.customer import Customer
from demo.service import with_service
from demo.stories import MONTHS, STORIES, live
from demo.told import Told, tell
from embedded.plan import Plan
from embedded.problem import Problem
from embedded.supervisor import Stopped
from settings import SettingsError
from store.database import connect

console = Console(highlight=False)
Out = Annotated[Path, typer.Option(help="Where the pictures go.")]


def main(out: Out = Path("keiyaku-demo")) -> None:
    """Live through two years of a few rental contracts in under a minute, on a service of the demo's own."""
    began = time.monotonic()
    try:
        told = asyncio.run(_run())
    except (Problem, SettingsError) as problem:
        raise SystemExit(f"keiyaku demo: {problem}") from None
    except (Stopped, KeyboardInterrupt):
        console.print("Stopped.")
        raise SystemExit(130) from None
    terminal.show(console, told)
    _write(out, told)
    console.print(
        f"Lived through in {time.monotonic() - began:.0f} seconds. Pictures: {out}/*.svg, all on one page: {out}/index.html"
    )


async def _run() -> list[Told]:
    found: list[Told] = []
    bar = (TextColumn("{task.description}", justify="left"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("Starting …", total=None)

        async def work(plan: Plan) -> None:
            found.extend(await _lived(plan, progress))

        await with_service(work, lambda what: progress.update(task, description=what))
    return found


async def _lived(plan: Plan, progress: Progress) -> list[Told]:
    operator = {"Authorization": f"Bearer {next(iter(plan.settings.operator_names()))}"}
    english = {"Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=plan.api, headers=english, timeout=60, trust_env=False) as http:
        clock = await Clock.of(http)
        end = clock.at(MONTHS, 1, 0)
        people = [
            Customer(
                title, name, kana, http, operator, clock, "corporate" if "company" in title else "individual"
            )
            for title, name, kana, _ in STORIES
        ]
        task = progress.tasks[0].id
        progress.update(task, total=(end - clock.begins).total_seconds())

        def reached(when: datetime, what: str) -> None:
            done = (when - clock.begins).total_seconds()
            progress.update(task, completed=max(done, 0), description=f"{when:%d %b %Y}  {what:<66}")

        stories = [story for *_, story in STORIES]
        await live([(c, story(c)) for c, story in zip(people, stories, strict=True)], reached, end)
        engine = connect(plan.settings.database_url)
        return [await tell(person, http, engine, end) for person in people]


def _write(out: Path, all_told: list[Told]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for number, told in enumerate(all_told, 1):
        words = "".join(letter if letter.isalnum() else "-" for letter in told.title.lower())
        told.file = f"{number}-{'-'.join(filter(None, words.split('-')))}.svg"
        (out / told.file).write_text(picture.svg(told), encoding="utf-8")
    (out / "index.html").write_text(picture.page(all_told), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)

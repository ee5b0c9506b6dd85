"""Contracts from a file into the store, chunk by chunk.

Invariant: a chunk is one transaction that also remembers each `source_id`, so that a file that is brought in again,
after a kill or not, adds what is missing and nothing else. No more than a chunk is held in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError
from temporalio.client import RPCError

from credentials import hash_password
from gate import Gate, connect_client
from importing.reading import CODECS, Line, Rejects, Source, Unreadable, look, say
from rules import importing as rules
from rules import policy
from rules.calendar import day_of
from rules.columns import fit_hash
from rules.facts import Contract
from rules.importing import Brought, Rejected
from settings import Settings
from store import importing as store
from store import maintenance, policies
from store.database import connect

SOME_REJECTED = 3
"""The exit code where not every row went in."""

STARTED_AT_ONCE = 50
PROGRESS_SECONDS = 5


class Unfinished(RuntimeError):
    """Something that is needed does not answer. Its text says what; the same once more goes on from there."""


class NotYet(ValueError):
    """The day from which on they are to count here is still to come."""


@dataclass
class Report:
    """What became of the rows so far."""

    total: int
    brought: int = 0
    there: int = 0
    rejected: int = 0
    began: float = field(default_factory=time.monotonic)

    def sentence(self) -> str:
        rows = self.brought + self.there + self.rejected
        rate = rows / max(time.monotonic() - self.began, 0.001)
        done = f"{self.brought:,} brought in, {self.there:,} there already, {self.rejected:,} bad"
        return f"{rows:,} of {max(self.total, rows):,} rows, {rate:,.0f} a second: {done}"


class Import:
    """One file into one store. `now` is when its rows are written down, `on` the day from which on they count here."""

    def __init__(self, engine: Engine, source: Source, rejects: Rejects, on: date, now: datetime) -> None:
        self._engine, self._source, self._rejects = engine, source, rejects
        self._on, self._now = on, now

    def run(self, report: Report) -> Iterator[Report]:
        """Chunk by chunk, each one transaction."""
        lines = iter(self._source)
        with ThreadPoolExecutor(os.cpu_count()) as self._hashers:
            while chunk := list(islice(lines, store.AT_ONCE)):
                self._chunk(chunk, report)
                yield report

    def _chunk(self, lines: list[Line], report: Report) -> None:
        found: dict[str, tuple[Line, Brought]] = {}
        for line in lines:
            try:
                brought = self._read(line)
                first = found.setdefault(brought.source, (line, brought))
                if first[0] is not line:
                    raise Rejected(f"source_id: stands on line {first[0].number}, too")
            except Rejected as no:
                self._reject(line, str(no), report)
        self._write(list(found.values()), self._hashes(found), report)

    def _read(self, line: Line) -> Brought:
        if line.fault:
            raise Rejected(line.fault)
        return rules.read(
            self._source.values(line), self._on, self._now + timedelta(milliseconds=line.number)
        )

    def _reject(self, line: Line, reason: str, report: Report) -> None:
        self._rejects.add(line, reason)
        report.rejected += 1

    def _hashes(self, found: dict[str, tuple[Line, Brought]]) -> dict[str, str]:
        """Of passwords in clear, of contracts that are not there yet: each costs ten milliseconds."""
        clear = {
            one.source: one.row.password
            for _, one in found.values()
            if one.row.password and not fit_hash(one.row.password)
        }
        if clear:
            with self._engine.begin() as connection:
                for known in store.there(connection, [one for _, one in found.values()]):
                    clear.pop(known, None)
        return dict(zip(clear, self._hashers.map(hash_password, clear.values()), strict=True))

    def _write(self, found: list[tuple[Line, Brought]], hashes: dict[str, str], report: Report) -> None:
        """One transaction; where a row breaks it, halves of it, down to that one."""
        if not found:
            return
        try:
            with self._engine.begin() as connection:
                known = store.write(connection, [one for _, one in found], hashes, self._now)
        except (IntegrityError, DataError) as fault:
            if len(found) == 1:
                self._reject(found[0][0], _taken(fault), report)
                return
            middle = len(found) // 2
            self._write(found[:middle], hashes, report)
            self._write(found[middle:], hashes, report)
            return
        report.brought += len(found) - len(known)
        for line, one in found:
            if one.source in known:
                self._there(line, known[one.source], report)

    def _there(self, line: Line, since: datetime, report: Report) -> None:
        """What came before this file is let be; what this very file has brought cannot come a second time."""
        if since == self._now:
            self._reject(line, "source_id: stands on an earlier line, too", report)
        else:
            report.there += 1


def _taken(fault: Exception) -> str:
    """What somebody else has already; never the value."""
    text = str(getattr(fault, "orig", fault))
    for name in ("customer_id", "login_id"):
        if name in text:
            return f"{name}: belongs to another contract already"
    return f"the database does not take it ({type(fault).__name__})"


def main(settings: Settings, path: Path, encoding: str | None, on: date | None, now: datetime) -> int:
    """All of the file, then the deadlines of what is in the store; the exit code. Raises NotYet, Unreadable, Unfinished."""
    if on and on > day_of(now):
        raise NotYet(f"--on {on} is still to come: today is {day_of(now)}, and what comes in counts at once.")
    engine = connect(settings.database_url)
    try:
        policies.agree(engine, policy.load(settings.policy_file or policy.DEFAULT))
        report, rejected = bring_in(engine, path, encoding, on or day_of(now), now)
        if report.brought:
            maintenance.look_over(engine)
    except (OperationalError, ProgrammingError) as fault:
        known = "is it there, and has `keiyaku migrate` been run?"
        raise Unfinished(f"The database does not take it ({type(fault).__name__}); {known}") from None
    say(report.sentence() + (f"; see {rejected}" if report.rejected else ""))
    try:
        started = asyncio.run(start(settings, engine))
    except (RPCError, RuntimeError) as fault:
        asked = f"does Temporal at {settings.temporal_address} answer?"
        raise Unfinished(
            f"Contracts that end are in the store, but not running ({type(fault).__name__}); {asked}"
            " The same once more adds what is missing."
        ) from None
    if started:
        say(f"{started:,} contracts wait for their last day.")
    return SOME_REJECTED if report.rejected else 0


def bring_in(
    engine: Engine, path: Path, encoding: str | None, on: date, now: datetime
) -> tuple[Report, Path]:
    """All of the file; progress and the first bad rows on standard error. Raises Unreadable."""
    try:
        seen = look(path)
        source = Source(path, CODECS[encoding] if encoding else seen.encoding)
    except OSError as fault:
        raise Unreadable(f"{path} cannot be read: {fault.strerror}.") from None
    report = Report(seen.lines - 1)
    with source:
        rejects = Rejects(path.with_name(f"{path.name}.rejected.csv"), source.header)
        with contextlib.closing(rejects):
            said = time.monotonic()
            for _ in Import(engine, source, rejects, on, now).run(report):
                if time.monotonic() > said + PROGRESS_SECONDS:
                    said = time.monotonic()
                    say(report.sentence())
    return report, rejects.path


async def start(settings: Settings, engine: Engine) -> int:
    """Start the workflows of those contracts that have a deadline; how many. All others rest. Raises RPCError, RuntimeError."""
    started, last, gate = 0, "", None
    while found := await asyncio.to_thread(_with_deadline, engine, last):
        gate = gate or Gate(await connect_client(settings), settings.task_queue)
        await asyncio.gather(*(gate.start(contract) for contract in found))
        started, last = started + len(found), found[-1].contract_id
    return started


def _with_deadline(engine: Engine, after: str) -> list[Contract]:
    with engine.begin() as connection:
        return store.with_deadline(connection, after, STARTED_AT_ONCE)

"""The data folder: one `up` at a time, and a note of what runs on it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from embedded.problem import Problem
from rules.clock import Clock
from settings import Settings, load

TEST_CLOCK = "test-clock"
_NOTE = "run.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder for this process; the lock goes when the process does. Raises Problem."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    except OSError as error:
        raise Problem(f"The data folder {folder} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            other = lock.read().strip()
            raise Problem(
                f"The data folder {folder} is in use by another `keiyaku up` (process {other})."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def afresh(folder: Path) -> Path:
    """The part of the folder for the test clock, emptied: the time-skipping server remembers nothing."""
    inner = folder / TEST_CLOCK
    try:
        if inner.exists():
            shutil.rmtree(inner)
        inner.mkdir()
    except OSError as error:
        raise Problem(f"The data folder {inner} cannot be emptied: {error.strerror}.") from None
    return inner


@contextmanager
def noted(folder: Path, note: dict[str, Any]) -> Iterator[None]:
    """While it runs, run.json in the folder says what runs where; only its owner may read it."""
    path = folder / _NOTE
    new = folder / f"{_NOTE}.tmp"
    new.touch(mode=0o600)
    new.write_text(json.dumps(note, indent=2) + "\n")
    new.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The folder in use and its note, if an `up` runs on `folder`, with whichever clock."""
    for candidate in (folder, folder / TEST_CLOCK):
        try:
            note: dict[str, Any] = json.loads((candidate / _NOTE).read_text())
            os.kill(note["pid"], 0)
        except (OSError, ValueError, KeyError):
            continue
        return candidate, note
    return None


def reached(own: Settings) -> Settings:
    """With which a command reaches the service that runs on the data folder, whichever its clock; `own` where none does."""
    found = running(own.data_dir)
    if found is None:
        return own
    inner, note = found
    key = own.secret_key.get_secret_value()
    return load(data_dir=inner, temporal_address=note["temporal_address"], secret_key=key)


def service_time(folder: Path, clock: Clock) -> datetime:
    """By the clock of the service that runs on the folder, else by this machine's and `clock`. Raises Problem."""
    found = running(folder)
    if found is None:
        return clock.business(datetime.now(UTC))
    try:
        answer = httpx.get(f"{found[1]['api']}/dev/v1/clock", timeout=10, trust_env=False).raise_for_status()
    except httpx.HTTPError as fault:
        raise Problem(f"The service on {folder} does not tell its time: {fault}.") from None
    return datetime.fromisoformat(answer.json()["now"])

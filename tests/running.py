"""A whole service, started as a person would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import select

from rules.importing import source_of
from store.database import connect
from store.ledger import ImportedRow
from store.write import table

KEIYAKU = Path(sys.executable).with_name("keiyaku")
STARTS_WITHIN, STOPS_WITHIN = 200, 60
"""Longer than any part may take: the one test that measures what is promised says so itself."""

PATIENCE = 100.0


class Up:
    """One `keiyaku up`. Its output is in `said()`; what it started is in `note()` and `processes()`."""

    def __init__(self, data: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.data = data / "test-clock" if "--test-clock" in arguments else data
        self._output = data.with_name(f"{data.name}-{time.monotonic_ns()}.out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [KEIYAKU, "up", "--data", data, "--port", "0", *arguments],
                stdout=output,
                stderr=output,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self._seen: list[psutil.Process] = []

    def said(self) -> str:
        return self._output.read_text()

    def note(self) -> dict[str, Any]:
        note: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return note

    def wait_until_it_runs(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while "Keiyaku is running" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        self._seen = psutil.Process(self.process.pid).children(recursive=True)

    def ends(self) -> int:
        """Its exit code, once it and everything it started are gone."""
        code = self.process.wait(STOPS_WITHIN)
        assert self.left() == []
        return code

    def left(self) -> list[psutil.Process]:
        """What it started and is still there a moment later."""
        return psutil.wait_procs(self._seen, timeout=30)[1]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.ends()

    def http(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.note()["api"], headers=headers, timeout=60, trust_env=False)

    def operator(self) -> httpx.Client:
        folder = self.data.parent if self.data.name == "test-clock" else self.data
        return self.http((folder / "operator.token").read_text())


@contextmanager
def up(data: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Up]:
    """A service that runs; whatever the test did with it, nothing of it is left afterwards."""
    service = Up(data, *arguments, env=env)
    try:
        service.wait_until_it_runs()
        yield service
    finally:
        if service.process.poll() is None:
            service.process.terminate()
            try:
                service.process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                service.process.kill()
        for process in service.left():
            process.kill()


def keiyaku(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Another command, run to its end."""
    return subprocess.run(
        [KEIYAKU, *arguments], capture_output=True, text=True, timeout=200, env=os.environ | (env or {})
    )


def answered(send: Callable[[], httpx.Response]) -> httpx.Response:
    """What it answers, sent the very same again as long as a part is down, which a machine that stalls is, too."""
    deadline = time.monotonic() + PATIENCE
    while (answer := send()).status_code == 503 and time.monotonic() < deadline:
        if "retry-after" not in answer.headers:
            break
        time.sleep(int(answer.headers["retry-after"]))
    return answer


def brought(url: str, source_id: str) -> str:
    """The ID of the contract that was brought in as that."""
    engine, rows = connect(url), table(ImportedRow)
    with engine.begin() as connection:
        found = select(rows.c.contract_id).where(rows.c.source == source_of(source_id))
        contract_id = str(connection.execute(found).scalar_one())
    engine.dispose()
    return contract_id

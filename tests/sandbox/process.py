"""The sandbox as a process of its own, on free ports, for tests that speak to it as the service does."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A sandbox that runs; `data` is its folder."""

    process: "subprocess.Popen[str]"
    data: Path
    smtp_port: int
    http: httpx.Client

    @property
    def gateway_url(self) -> str:
        return str(self.http.base_url.join("/gateway"))

    def outbox(self, **wanted: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.http.get("/outbox", params=wanted).json()["items"]
        return items

    def faults(self, **faults: str) -> None:
        self.http.post("/faults", json=faults).raise_for_status()

    def ledger(self, what: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.http.get("/gateway/ledger").json()[what]
        return entries

    def pay(self, what: str, key: str, **body: Any) -> httpx.Response:
        signed = {"Authorization": "Bearer test", "Idempotency-Key": key}
        return self.http.post(f"/gateway/{what}", json=body, headers=signed)

    def stop(self) -> float:
        """Tells it to stop; the seconds that took."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        return time.monotonic() - began


@contextmanager
def run(data: Path, *options: str) -> Iterator[Running]:
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--data",
        str(data),
        "--smtp-port",
        "0",
        "--http-port",
        "0",
        *options,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        smtp_port, http_port = map(int, re.findall(r"\d+", process.stdout.readline()))
        with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=60) as http:
            yield Running(process, data, smtp_port, http)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

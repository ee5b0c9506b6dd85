"""A second API process beside the one of a stack, as after a restart or behind a load balancer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from embedded.ports import any_free
from tests.running import KEIYAKU
from tests.stack import Stack, eventually


@contextmanager
def second_api(stack: Stack) -> Iterator[httpx.Client]:
    """Speaks to the second process while it runs."""
    port = any_free()
    given = {
        "DATA_DIR": str(stack.service.data),
        "DATABASE_URL": stack.database_url,
        "TEMPORAL_ADDRESS": stack.note["temporal_address"],
        "CLOCK": "test",
        "PRODUCTION": "false",
        "PORT": str(port),
        "SECRET_KEY": (stack.folder / "secret.key").read_text().strip(),
        "OPERATOR_TOKEN": stack.operator_token,
    }
    env = os.environ | {f"KEIYAKU_{name}": value for name, value in given.items()}
    with (stack.folder / "second.log").open("wb") as log:
        process = subprocess.Popen([KEIYAKU, "api"], env=env, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            eventually(lambda: _answers(http), within=200)
            yield http
    finally:
        process.terminate()
        process.wait(60)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False

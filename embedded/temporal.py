"""The two Temporal servers that need no installation: one keeps its state, the other has a clock to be moved."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from embedded.part import Part, succeeds
from embedded.ports import any_free, preferred
from embedded.problem import Problem

# Measured on two cores: together two to three times as fast as the server's own defaults. The polling rates
# spare a lone caller a 50 ms tick at every dispatch.
_TUNING = {
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
}
_PRAGMAS = ("journal_mode=wal", "synchronous=1")
_PORT, _UI_PORT = 7233, 8233
_ADDRESS = "127.0.0.1"
# The server's own default forgets a closed workflow after a day.
_RETENTION = "90d"


def dev_server(data: Path, alone: bool = True) -> tuple[Part, str, str]:
    """The server, its address and its UI's, keeping its state in `data`. Raises Problem.

    Alone on the machine it takes Temporal's own ports if they are free; services side by side would race for them.
    """
    binary = program("temporal")
    port, ui_port = (preferred(_ADDRESS, wanted) if alone else any_free() for wanted in (_PORT, _UI_PORT))
    address = f"{_ADDRESS}:{port}"
    database = data / "temporal.db"
    command = [
        *(binary, "server", "start-dev", "--ip", _ADDRESS, "--port", str(port), "--ui-port", str(ui_port)),
        *("--ui-disable-news-fetch", "--log-level", "warn", "--db-filename", str(database)),
        *_each("--sqlite-pragma", _PRAGMAS),
        *_each("--dynamic-config-value", (f"{name}={value}" for name, value in _TUNING.items())),
    ]
    if not database.exists():
        command += _each("--search-attribute", _search_attributes())
    configure = ("operator", "namespace", "update", "-n", "default", "--retention", _RETENTION)
    ready = succeeds(binary, *configure, "--address", address, "--command-timeout", "3s", env=_env())
    part = Part("temporal", "Temporal", tuple(command), _env(), data / "logs" / "temporal.log", ready)
    return part, address, f"http://{_ADDRESS}:{ui_port}"


def time_skipping_server(data: Path) -> tuple[Part, str]:
    """The server whose clock can be moved, and its address. It keeps nothing. Raises Problem."""
    port = any_free()
    address = f"{_ADDRESS}:{port}"
    health = ("operator", "cluster", "health", "--address", address, "--command-timeout", "3s")
    ready = succeeds(program("temporal"), *health, env=_env())
    command = (program("temporal-test-server"), str(port))
    return Part("temporal", "Temporal", command, _env(), data / "logs" / "temporal.log", ready), address


def program(name: str) -> str:
    """A program that a package put beside the interpreter. Raises Problem where it is missing."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise Problem(f"The program {name} is missing beside {sys.executable}; try `make venv`.")
    return found


def _search_attributes() -> list[str]:
    """For a new database: created by the worker, they would be known to the server only two seconds later."""
    from temporalio.common import SearchAttributeIndexedValueType as Kind

    from workflows.visible import KEYS

    words = {Kind.KEYWORD: "Keyword", Kind.KEYWORD_LIST: "KeywordList", Kind.DATETIME: "Datetime"}
    return [f"{key.name}={words[key.indexed_value_type]}" for key in KEYS]


def _env() -> dict[str, str]:
    """Without what the person configured for the Temporal command line: it would lead to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}


def _each(flag: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]

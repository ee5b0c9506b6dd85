"""docker-compose.yml and deploy/, as far as that can be checked without an engine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import cli
import worker
from api.app import listener
from rules.calendar import JST
from settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("keiyaku:")}


def filled_in(value: str) -> str:
    """As compose would, with `chosen` for what a person has to choose."""
    return re.sub(r"\$\{\w+(?::\?|:-)([^}]*)\}", lambda found: found[1] or "chosen", value)


def test_every_setting_given_to_our_processes_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {name for service in OURS.values() for name in service["environment"]}
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert given | set(re.findall(rf"{PREFIX}\w+", dockerfile)) <= known


def test_our_processes_accept_what_they_are_given() -> None:
    environment = OURS["api"]["environment"]
    given: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): filled_in(value) for name, value in environment.items()
    }
    given |= {"secret_key": "0" * 64, "operators": "aiko:token-1", "providers": "books:token-2"}
    settings = Settings(**given)
    assert settings.production
    assert settings.versioning
    assert settings.operator_names() == {"token-1": "aiko"}


def test_every_command_that_is_run_exists() -> None:
    commands = set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]
    assert {service["command"][0] for service in OURS.values()} <= commands


def test_every_image_is_pinned() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":(v?\d+\.\d+(\.\d+)?|\$\{BUILD_ID:\?\})$", service["image"]), name
    assert re.search(r"^FROM \S+:\d+\.\d+\.\d+\S*$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)


def test_every_service_that_is_waited_for_exists_and_says_when_it_is_ready() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]


def test_ports_and_places_agree() -> None:
    environment = OURS["api"]["environment"]
    assert SERVICES["api"]["ports"] == [f"127.0.0.1:8080:{environment['KEIYAKU_PORT']}"]
    assert f":{environment['KEIYAKU_PORT']}/readyz" in SERVICES["api"]["healthcheck"]["test"][-1]
    assert f":{environment['KEIYAKU_METRICS_PORT']}/metrics" in SERVICES["worker"]["healthcheck"]["test"][-1]
    scraped = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"][0]
    assert str(scraped["dns_sd_configs"][0]["port"]) == environment["KEIYAKU_METRICS_PORT"]
    sandbox = SERVICES["sandbox"]["command"]
    assert filled_in(environment["KEIYAKU_SMTP_PORT"]) in sandbox
    assert f":{sandbox[-1]}/" in filled_in(environment["KEIYAKU_GATEWAY_URL"])


def test_every_file_that_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_example_environment_has_every_variable() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    offered = set(re.findall(r"^(\w+)=", (ROOT / "deploy/example.env").read_text(), re.MULTILINE))
    assert used == offered


def test_the_database_does_not_log_the_rows_that_it_did_not_take() -> None:
    assert "log_error_verbosity=terse" in SERVICES["postgresql"]["command"]


def test_maintenance_comes_at_four_each_night(tmp_path: Path) -> None:
    """By the line that the container runs; it sleeps twice here, and no second."""
    stubs = {"sleep": 'echo "$1" >> slept; test $(wc -l < slept) -lt 3', "python": 'echo "$@" >> done'}
    for name, does in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    service, path = SERVICES["maintain"], f"{tmp_path}:{os.environ['PATH']}"
    line = [word.replace("$$", "$") for word in service["entrypoint"] + service["command"]]
    now = datetime.now(JST)
    subprocess.run(line, cwd=tmp_path, env={"PATH": path}, check=False, timeout=20)
    assert (tmp_path / "done").read_text().splitlines() == ["-m cli maintain"] * 2
    for slept in (tmp_path / "slept").read_text().split():
        wakes = now + timedelta(seconds=int(slept) + 30)
        assert (wakes.hour, wakes.minute) in ((4, 0), (4, 1))
        assert 0 < int(slept) <= 86400


def test_a_release_names_the_workers_own_deployment() -> None:
    command = SERVICES["release"]["command"]
    assert command[command.index("--deployment-name") + 1] == worker.DEPLOYMENT


@pytest.mark.parametrize(
    ("host", "listens"),
    [
        ("127.0.0.1", {"127.0.0.1:9"}),
        ("0.0.0.0", {"0.0.0.0:9"}),
        ("::1", {"[::1]:9"}),
        ("localhost", {"127.0.0.1:9", "[::1]:9"}),
    ],
)
def test_metrics_of_the_worker_listen_where_the_service_does(host: str, listens: set[str]) -> None:
    assert worker.numeric(host, 9) in listens


IPV6 = Path("/proc/net/if_inet6")
needs_ipv6 = pytest.mark.skipif(not (IPV6.exists() and IPV6.read_text()), reason="no IPv6 here")


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        pytest.param("::1", "::1", marks=needs_ipv6),
        pytest.param("::", "::1", marks=needs_ipv6),
        pytest.param("::", "127.0.0.1", marks=needs_ipv6),
    ],
)
def test_the_api_listens_where_it_is_told(host: str, reached: str) -> None:
    with closing(listener(host, 0)) as listens:
        socket.create_connection((reached, listens.getsockname()[1]), timeout=5).close()


def test_what_is_secret_goes_neither_into_an_image_nor_into_git() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "keiyaku-data", "keiyaku-demo"} <= set(ignored)
    assert subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False).returncode == 0

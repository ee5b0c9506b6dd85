"""`keiyaku up`: starts everything, stops everything, and says in one sentence what is wrong."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jwt
import psutil
import pytest

from embedded import ports, temporal
from embedded.problem import Problem
from tests.running import STOPS_WITHIN, Up, answered, keiyaku, up
from tests.stack import application, eventually, keyed

pytestmark = pytest.mark.timeout(300)

# Seconds; httpx and others. The server's own default is the same, and a request may meet it closing.
CLIENTS_KEEP_FOR = 5
PROMISED_TO_STOP_WITHIN = 20
PARTS = ("temporal", "sandbox", "worker", "api")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def sentence(text: str) -> str:
    """What is wrong, in one line and without a traceback around it."""
    found = [line for line in text.splitlines() if line.startswith("keiyaku: ")]
    assert len(found) == 1, text
    assert found[0].endswith("."), text
    assert "Traceback" not in text, text
    return found[0]


def apply(service: Up) -> str:
    key = keyed()
    with service.http() as caller:
        answer = answered(lambda: caller.post("/v1/applications", json=application(), headers=key))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["contract_id"])


def tasks(operator: httpx.Client, contract_id: str) -> list[dict[str, Any]]:
    answer = operator.get("/operator/v1/tasks", params={"contract_id": contract_id})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def state(operator: httpx.Client, contract_id: str) -> str:
    return str(operator.get(f"/operator/v1/contracts/{contract_id}").json()["state"])


def assertion_ends(printed: str) -> datetime:
    """When a printed line assertion ends; there must be nothing else in the output."""
    claims = jwt.decode(printed.removesuffix("\n"), options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], UTC)


def dies(service: Up, part: str) -> None:
    """A part that dies is named, and leaves no orphans."""
    os.kill(service.note()["parts"][part], signal.SIGKILL)
    assert service.ends() == 1
    title = {"temporal": "Temporal", "api": "The API"}.get(part, f"The {part}")
    assert f"{title} was killed by SIGKILL" in sentence(service.said())


def spoken_on(service: Up) -> http.client.HTTPConnection:
    """A connection to the API that has had its first answer and stays open."""
    url = httpx.URL(service.note()["api"])
    connection = http.client.HTTPConnection(url.host, url.port or 80, timeout=60)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    assert connection.sock is not None
    return connection


def test_it_says_where_everything_is_and_a_contract_goes_on_however_it_ended(data: Path) -> None:
    with up(data) as service:
        note = service.note()
        assert note["mode"] == "real"
        assert tuple(note["parts"]) == PARTS
        for said in (
            note["api"],
            f"{note['api']}/docs",
            note["temporal_ui"],
            "/dev/v1/outbox",
            "Operator token",
        ):
            assert said in service.said()
        with service.http() as caller:
            for url in ("/healthz", "/readyz", "/docs", note["temporal_ui"], *note["metrics"].values()):
                assert answered(partial(caller.get, url)).status_code == 200, url
        contract_id = apply(service)
        ends = assertion_ends(keiyaku("line-assertion", contract_id, "--data", data).stdout)
        assert timedelta(minutes=4) < ends - datetime.now(UTC) <= timedelta(minutes=5)
        before = time.monotonic()
        assert service.stop(signal.SIGINT) == 0
        assert time.monotonic() - before < PROMISED_TO_STOP_WITHIN
        assert "Stopped." in service.said()
        assert not (data / "run.json").exists()
    with up(data) as service, service.operator() as operator:
        assert state(operator, contract_id) == "applied"
        (task,) = tasks(operator, contract_id)
        path, key = f"/operator/v1/tasks/{task['task_id']}", keyed()
        approved = answered(lambda: operator.post(path, json={"action": "approve"}, headers=key))
        assert approved.status_code == 200, approved.text
        eventually(lambda: state(operator, contract_id) == "preparing")
        query = {"contract_id": contract_id, "kind": "login"}
        eventually(lambda: operator.get("/dev/v1/outbox", params=query).json()["items"])
        another = apply(service)
        service.process.kill()
        service.ends()
        assert (data / "run.json").exists()
    with up(data) as service, service.operator() as operator:
        assert len(tasks(operator, another)) == 1
        dies(service, "temporal")


def test_the_test_clock_moves_and_starts_afresh(data: Path) -> None:
    with up(data, "--test-clock") as service, service.operator() as operator:
        assert "starts afresh" in service.said()
        contract_id = apply(service)
        clock = operator.get("/dev/v1/clock").json()
        assert clock["mode"] == "test"
        to = datetime.fromisoformat(clock["now"]) + timedelta(days=40)
        moved = answered(lambda: operator.post("/dev/v1/clock", json={"to": to.isoformat()}))
        assert moved.status_code == 200, moved.text
        now = datetime.fromisoformat(moved.json()["now"])
        assert now >= to
        ends = assertion_ends(keiyaku("line-assertion", contract_id, "--data", data).stdout)
        assert now + timedelta(minutes=4) < ends < now + timedelta(minutes=6)
        assert service.stop(signal.SIGTERM) == 0
    with up(data, "--test-clock") as service, service.operator() as operator:
        assert operator.get(f"/operator/v1/contracts/{contract_id}").status_code == 404
        assert datetime.fromisoformat(operator.get("/dev/v1/clock").json()["now"]) < to
        dies(service, "sandbox")


def test_a_folder_has_one_service_only_and_its_commands_find_it_whatever_its_public_url(data: Path) -> None:
    elsewhere = {"KEIYAKU_PUBLIC_URL": "https://keiyaku.example"}
    with up(data, "--test-clock", env=elsewhere) as service:
        assert elsewhere["KEIYAKU_PUBLIC_URL"] in service.said()
        assert assertion_ends(keiyaku("line-assertion", "k-1", "--data", data).stdout)
        second = keiyaku("up", "--data", data, "--port", "0")
        assert second.returncode == 1
        assert f"in use by another `keiyaku up` (process {service.process.pid})" in sentence(second.stderr)
        assert service.process.poll() is None
        dies(service, "worker")


def test_an_api_keeps_idle_connections_for_longer_than_clients_do_and_is_named_when_it_dies(
    data: Path,
) -> None:
    with up(data, "--test-clock") as service:
        idle = spoken_on(service)
        time.sleep(CLIENTS_KEEP_FOR + 1)
        idle.request("GET", "/healthz")
        assert idle.getresponse().status == 200
        dies(service, "api")


def test_it_stops_while_it_is_still_starting(data: Path) -> None:
    service = Up(data)
    try:
        eventually(lambda: psutil.Process(service.process.pid).children())
        children = psutil.Process(service.process.pid).children()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(STOPS_WITHIN) == 0, service.said()
        assert psutil.wait_procs(children, timeout=30)[1] == []
        assert "Keiyaku is running" not in service.said()
    finally:
        service.process.kill()


def test_a_part_that_cannot_start_is_named_with_the_reason_that_it_gave(data: Path) -> None:
    data.mkdir()
    (data / "temporal.db").write_text("this is no database, but it is long enough to look like one" * 100)
    before = set(psutil.Process().children(recursive=True))
    failed = keiyaku("up", "--data", data, "--port", "0")
    assert failed.returncode == 1
    assert "Temporal stopped with exit code 1" in sentence(failed.stderr)
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named(data: Path, taken_port: int) -> None:
    by_option = keiyaku("up", "--data", data, "--port", str(taken_port))
    by_environment = keiyaku("up", "--data", data, env={"KEIYAKU_PORT": str(taken_port)})
    for failed in (by_option, by_environment):
        assert failed.returncode == 1
        assert f"Port {taken_port} on 127.0.0.1 is taken" in sentence(failed.stderr)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data in (tmp_path / "file", tmp_path / "file" / "below"):
        failed = keiyaku("up", "--data", data, "--port", "0")
        assert failed.returncode == 1
        assert str(tmp_path / "file") in sentence(failed.stderr)


def test_a_wrong_setting_is_named(data: Path) -> None:
    failed = keiyaku("up", "--data", data, "--port", "0", env={"KEIYAKU_OPERATORS": "aiko"})
    assert failed.returncode == 1
    assert "KEIYAKU_OPERATORS" in sentence(failed.stderr)


def test_a_wrong_policy_is_named_with_its_line(data: Path, tmp_path: Path) -> None:
    built_in = Path(__file__).parent.parent / "rules" / "policy.toml"
    policy = tmp_path / "policy.toml"
    text = built_in.read_text().replace("plan_change_until = 15", "plan_change_until = 45", 1)
    policy.write_text(text)
    line = text.partition("plan_change_until")[0].count("\n") + 1
    failed = keiyaku("up", "--data", data, "--port", "0", env={"KEIYAKU_POLICY_FILE": str(policy)})
    assert failed.returncode == 1
    assert f"{policy}, line {line}" in sentence(failed.stderr)


def test_a_database_that_cannot_be_reached_is_named(data: Path) -> None:
    nowhere = f"postgresql+psycopg://keiyaku:hunter2@127.0.0.1:{ports.any_free()}/keiyaku"
    failed = keiyaku("up", "--data", data, "--port", "0", env={"KEIYAKU_DATABASE_URL": nowhere})
    assert failed.returncode == 1
    assert "The database cannot be brought up to date" in sentence(failed.stderr)
    assert "hunter2" not in failed.stderr


def test_no_assertion_is_printed_for_a_folder_that_nothing_ran_on(data: Path) -> None:
    failed = keiyaku("line-assertion", "k-1", "--data", data)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "No service has run" in sentence(failed.stderr)
    assert not data.exists()


def test_a_worker_without_a_temporal_server_says_so(data: Path) -> None:
    environment = {"KEIYAKU_DATA_DIR": str(data), "KEIYAKU_TEMPORAL_ADDRESS": f"127.0.0.1:{ports.any_free()}"}
    assert keiyaku("migrate", env=environment).returncode == 0
    for command in ("worker", "api"):
        failed = keiyaku(command, env=environment | {"KEIYAKU_PORT": str(ports.any_free())})
        assert failed.returncode == 1
        assert "does Temporal at 127.0.0.1:" in failed.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["worker", "api"])
def test_a_worker_or_an_api_says_in_one_line_what_it_cannot_use(
    command: str, data: Path, tmp_path: Path, taken_port: int
) -> None:
    environment = {"KEIYAKU_DATA_DIR": str(data), "KEIYAKU_PORT": str(ports.any_free())}
    assert keiyaku("migrate", env=environment).returncode == 0
    for name, value in (("METRICS_PORT", str(taken_port)), ("POLICY_FILE", str(tmp_path / "nowhere.toml"))):
        failed = keiyaku(command, env=environment | {f"KEIYAKU_{name}": value})
        assert failed.returncode == 1
        (line,) = failed.stderr.splitlines()
        assert line.startswith("keiyaku: ")
        assert value in line


def test_a_missing_program_is_named() -> None:
    with pytest.raises(Problem, match=r"The program no-such-server is missing .*make venv"):
        temporal.program("no-such-server")


def test_a_preferred_port_that_is_taken_gives_way(taken_port: int) -> None:
    assert ports.preferred("127.0.0.1", taken_port) != taken_port
    free = ports.any_free()
    assert ports.preferred("127.0.0.1", free) == free

"""What `keiyaku up` starts, with which settings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded import folder, ports, temporal
from embedded.part import Part, Ready, answers
from embedded.problem import Problem
from settings import PREFIX, Settings, kept_secret, load

_LOCAL = "127.0.0.1"
_METRICS = f"{PREFIX}METRICS_PORT"
_READY_WITHIN = 90
# Mail and payments go to the sandbox, whatever else is configured.
_NOT_PASSED_ON = ("SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_STARTTLS", "TEMPORAL_NAMESPACE", "METRICS_PORT")


@dataclass(frozen=True)
class Options:
    """What the person asked for; what is None comes from the environment or the defaults."""

    data: Path | None = None
    host: str | None = None
    port: int | None = None
    test_clock: bool = False
    speed: int = 1


@dataclass(frozen=True)
class Plan:
    """The parts in the order of their start, and where they will be."""

    settings: Settings
    stages: tuple[tuple[Part, ...], ...]
    temporal_ui: str | None
    metrics: dict[str, str]

    @property
    def api(self) -> str:
        return self.settings.public_url

    def note(self, pids: Mapping[str, int]) -> dict[str, Any]:
        """For run.json."""
        return {
            "pid": os.getpid(),
            "mode": self.settings.clock,
            # Where it is here: what the public URL leads to may be another machine's.
            "api": f"http://{_dialled(self.settings.host)}:{self.settings.port}",
            "temporal_address": self.settings.temporal_address,
            "temporal_ui": self.temporal_ui,
            "sandbox": self.settings.sandbox_url,
            "metrics": self.metrics,
            "parts": dict(pids),
        }


def own_settings(options: Options) -> Settings:
    """The person's settings, before what `up` decides. Raises SettingsError."""
    return load(data_dir=options.data, host=options.host, port=options.port or None, production=False)


def make(options: Options, own: Settings) -> Plan:
    """Decides on folder, ports, tokens. The folder is locked by now. Raises Problem or SettingsError."""
    port = ports.wanted(own.host, own.port if options.port is None else options.port)
    data = folder.afresh(own.data_dir) if options.test_clock else own.data_dir
    ui = None
    if options.test_clock:
        server, address = temporal.time_skipping_server(data)
    else:
        server, address, ui = temporal.dev_server(data, alone=port == Settings.model_fields["port"].default)
    smtp, http, worker, api = (ports.any_free() for _ in range(4))
    given = {
        "data_dir": str(data),
        "host": own.host,
        "port": str(port),
        "public_url": _public_url(own, port),
        "production": "false",
        "temporal_address": address,
        "clock": "test" if options.test_clock else "real",
        "smtp_host": _LOCAL,
        "smtp_port": str(smtp),
        "gateway_url": f"http://{_LOCAL}:{http}/gateway",
        "gateway_api_key": "sandbox",
        "sandbox_url": f"http://{_LOCAL}:{http}",
        "secret_key": own.secret_key.get_secret_value(),
        **_tokens(own),
        **_speed(data, options.speed),
    }
    settings = load(**given)
    reached = f"http://{_dialled(own.host)}"
    env = _environment(given)
    stages = (
        (server, _sandbox(settings, env)),
        (_worker(settings, env, worker, reached), _api(settings, env, api, reached)),
    )
    metrics = {"worker": f"{reached}:{worker}/metrics", "api": f"{reached}:{api}/metrics"}
    return Plan(settings, stages, ui, metrics)


def _sandbox(settings: Settings, env: dict[str, str]) -> Part:
    url = str(settings.sandbox_url)
    words = (
        *("-m", "sandbox", "--data", str(settings.data_dir), "--print-dir", str(settings.print_dir)),
        *("--smtp-port", str(settings.smtp_port), "--http-port", url.rpartition(":")[2]),
    )
    return _python("sandbox", "The sandbox", words, env, settings, answers(f"{url}/healthz"))


def _worker(settings: Settings, env: dict[str, str], metrics: int, reached: str) -> Part:
    # Asked itself: the API would for a moment count a worker of the last run, too, if that one was killed.
    ready = answers(f"{reached}:{metrics}/metrics", 'poller_type="workflow_task"')
    env = env | {_METRICS: str(metrics)}
    return _python("worker", "The worker", ("-m", "cli", "worker"), env, settings, ready, stops_within=7)


def _api(settings: Settings, env: dict[str, str], metrics: int, reached: str) -> Part:
    ready = answers(f"{reached}:{settings.port}/readyz")
    return _python("api", "The API", ("-m", "cli", "api"), env | {_METRICS: str(metrics)}, settings, ready)


def _python(
    name: str,
    title: str,
    words: tuple[str, ...],
    env: dict[str, str],
    settings: Settings,
    ready: Ready,
    stops_within: float = 4,
) -> Part:
    # -P: a file in the present folder that is called like one of our modules must not be taken for it
    command = (sys.executable, "-P", *words)
    log = settings.data_dir / "logs" / f"{name}.log"
    return Part(name, title, command, env, log, ready, _READY_WITHIN, stops_within)


def _tokens(own: Settings) -> dict[str, str]:
    """Those that were configured, or made once and kept."""
    tokens = {}
    if not own.operator_names():
        tokens["operator_token"] = kept_secret(own.data_dir, "operator.token", 16)
    if not own.provider_names():
        tokens["provider_token"] = kept_secret(own.data_dir, "provider.token", 16)
    return tokens


def _speed(data: Path, speed: int) -> dict[str, str]:
    """A clock of another speed has one epoch for the whole life of its data, or replays would differ."""
    path = data / "clock.json"
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text())
        if int(kept["clock_speed"]) != speed:
            raise Problem(
                f"The data folder {data} was started with --speed {kept['clock_speed']}; use that again."
            )
        return kept
    if speed == 1:
        return {}
    if (data / "temporal.db").exists():
        raise Problem(f"The data folder {data} was started at ordinary speed; choose another folder.")
    return keep_clock(data, datetime.now(UTC), speed)


def keep_clock(data: Path, says: datetime, speed: int) -> dict[str, str]:
    """The settings of a clock that says `says` now and runs `speed` times as fast, at least twice; kept for `data`."""
    kept = clock_saying(says, speed)
    (data / "clock.json").write_text(json.dumps(kept))
    return kept


def clock_saying(says: datetime, speed: int) -> dict[str, str]:
    """The same, for whoever keeps no data."""
    now = datetime.now(UTC)
    return {"clock_speed": str(speed), "clock_epoch": (now - (says - now) / (speed - 1)).isoformat()}


def _environment(given: dict[str, str]) -> dict[str, str]:
    hidden = {PREFIX + name for name in _NOT_PASSED_ON}
    inherited = {name: value for name, value in os.environ.items() if name not in hidden}
    return inherited | {PREFIX + name.upper(): value for name, value in given.items()}


def _public_url(own: Settings, port: int) -> str:
    configured = "public_url" in own.model_fields_set
    return own.public_url if configured else f"http://{_dialled(own.host)}:{port}"


def _dialled(host: str) -> str:
    """How this machine itself reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return _LOCAL
    return f"[{host}]" if ":" in host else host

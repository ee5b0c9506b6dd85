"""Every setting of every process, read from the environment as KEIYAKU_<NAME>."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "KEIYAKU_"
KEY_FILE = "secret.key"
# Of each HTTP server. A connection is kept open for longer than clients keep an idle one, or their next request may meet
# it as it closes. The access log would name what stands in paths and queries.
SERVED: dict[str, Any] = {"timeout_keep_alive": 75, "access_log": False}
Port = Annotated[int, Field(ge=1, le=65535)]
NamedTokens = Annotated[dict[str, SecretStr], NoDecode]


class SettingsError(ValueError):
    """A setting is wrong. Its text is one sentence for the person who set it."""


class Settings(BaseSettings):
    """Use `load()` in a process: it adds the secret key, and turns faults into one sentence."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    data_dir: Path = Path("keiyaku-data")
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = Field(default_factory=lambda data: f"http://{data['host']}:{data['port']}")
    production: bool = True
    policy_file: Path | None = None

    # may hold a password, so it is never shown
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir']}/keiyaku.db", repr=False
    )

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    task_queue: str = "contracts"
    clock: Literal["real", "test"] = "real"
    clock_speed: int = Field(default=1, ge=1, le=10_000_000)
    clock_epoch: AwareDatetime | None = None
    build_id: str = Field(default_factory=lambda: _version())
    versioning: bool = Field(default_factory=lambda data: data["clock"] == "real")
    sandboxed_workflows: bool = False
    max_cached_workflows: int = Field(default=5_000, ge=0)

    smtp_host: str = "127.0.0.1"
    smtp_port: Port = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    mail_from: str = "Keiyaku <no-reply@keiyaku.example>"
    print_dir: Path = Field(default_factory=lambda data: data["data_dir"] / "print")
    gateway_url: str = "http://127.0.0.1:8026/gateway"
    gateway_api_key: SecretStr = SecretStr("")
    sandbox_url: str | None = None

    secret_key: SecretStr = SecretStr("")
    operator_token: SecretStr | None = None
    operators: NamedTokens = Field(default_factory=dict)
    provider_token: SecretStr | None = None
    providers: NamedTokens = Field(default_factory=dict)

    metrics_port: Port | None = None
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("data_dir", "print_dir", "policy_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @field_validator("operators", "providers", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """From `aiko:token1,ken:token2`."""
        if not isinstance(value, str):
            return value
        pairs = [entry.strip().partition(":") for entry in value.split(",") if entry.strip()]
        if not all(name and token for name, _, token in pairs):
            raise ValueError("must be name:token pairs with commas between them")
        return {name: token for name, _, token in pairs}

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < 64:
            raise ValueError("must be at least 32 random bytes in hexadecimal, that is 64 characters")
        return value

    @field_validator("temporal_address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("must be host:port")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.clock_speed != 1 and self.clock_epoch is None:
            raise ValueError("clock_speed needs clock_epoch, the instant from which on the clock runs faster")
        if self.clock == "test" and self.clock_speed != 1:
            raise ValueError("clock_speed goes with the real clock only")
        if self.production and (self.clock == "test" or self.clock_speed != 1):
            raise ValueError("clock is for trying things out and cannot be changed with production settings")
        single = [token for token in (self.operator_token, self.provider_token) if token]
        tokens = [*single, *self.operators.values(), *self.providers.values()]
        if len(tokens) != len(set(tokens)):
            raise ValueError("operators and providers must all have different tokens")
        return self

    def operator_names(self) -> dict[str, str]:
        """The name of each operator by the token."""
        return _by_token("operator", self.operator_token, self.operators)

    def provider_names(self) -> dict[str, str]:
        """The name of each content provider by the token."""
        return _by_token("provider", self.provider_token, self.providers)


def read(**given: Any) -> Settings:
    """What is configured, but for what is given and not None, without touching the disk: the secret key may be missing.

    Raises SettingsError.
    """
    _refuse_unknown_names()
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def load(**given: Any) -> Settings:
    """The settings of this process, with the secret key filled in. Raises SettingsError."""
    settings = read(**given)
    if settings.secret_key.get_secret_value():
        return settings
    return settings.model_copy(update={"secret_key": SecretStr(kept_secret(settings.data_dir, KEY_FILE))})


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """For whatever opens a port. Raises SettingsError where it cannot be opened."""
    try:
        yield
    except OSError as fault:
        raise SettingsError(f"Cannot listen on {host}:{port}: {fault.strerror}.") from None


def kept_secret(folder: Path, name: str, size: int = 32) -> str:
    """The secret in a file of the data folder that only its owner reads; made when first asked for.

    Raises SettingsError.
    """
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_hex(size))
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{error.filename or path} cannot be used: {error.strerror}.") from None


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and the first of several processes wins."""
    own = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    own.touch(mode=0o600)
    own.write_text(text)
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def _by_token(name: str, single: SecretStr | None, named: dict[str, SecretStr]) -> dict[str, str]:
    tokens = {secret.get_secret_value(): who for who, secret in named.items()}
    return tokens | ({single.get_secret_value(): name} if single else {})


def _version() -> str:
    try:
        return version("keiyaku")
    except PackageNotFoundError:
        return "unpackaged"


def _refuse_unknown_names() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise SettingsError(f"{name} is no setting" + (f"; {near[0]} is." if near else "."))


def _sentence(error: ValidationError) -> str:
    """One fault is enough: the value is not shown, it may be a secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = (
        PREFIX + "_".join(str(part) for part in first["loc"][:1]).upper() if first["loc"] else "The settings"
    )
    return f"{name}: {first['msg'].removeprefix('Value error, ')}."

"""A wrong value stops the start with one sentence."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from settings import PREFIX, SettingsError, kept_secret, load


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "KEIYAKU_PORT: Input should be a valid integer"),
        ("PORT", "70000", "KEIYAKU_PORT: Input should be less than or equal to 65535"),
        ("PROT", "8080", "KEIYAKU_PROT is no setting; KEIYAKU_PORT is."),
        ("OPERATORS", "aiko", "KEIYAKU_OPERATORS: must be name:token pairs"),
        ("OPERATORS", "aiko:", "KEIYAKU_OPERATORS: must be name:token pairs"),
        ("OPERATORS", "aiko:same,ken:same", "all have different tokens"),
        ("SECRET_KEY", "short", "KEIYAKU_SECRET_KEY: must be at least 32 random bytes"),
        ("TEMPORAL_ADDRESS", "somewhere", "KEIYAKU_TEMPORAL_ADDRESS: must be host:port"),
        ("CLOCK", "sundial", "KEIYAKU_CLOCK: Input should be 'real' or 'test'"),
        ("CLOCK", "test", "cannot be changed with production settings"),
        ("CLOCK_SPEED", "60", "clock_speed needs clock_epoch"),
    ],
)
def test_a_wrong_value_is_named_in_one_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as raised:
        load()
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_secret_is_not_repeated_in_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEIYAKU_SECRET_KEY", "hunter2")
    with pytest.raises(SettingsError, match=r"^(?!.*hunter2)"):
        load()


def test_operators_are_known_by_their_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEIYAKU_OPERATORS", "aiko:t1, ken:t2")
    monkeypatch.setenv("KEIYAKU_OPERATOR_TOKEN", "t3")
    monkeypatch.setenv("KEIYAKU_PROVIDER_TOKEN", "t4")
    settings = load()
    assert settings.operator_names() == {"t1": "aiko", "t2": "ken", "t3": "operator"}
    assert settings.provider_names() == {"t4": "provider"}


def test_secrets_are_not_shown() -> None:
    settings = load(
        operator_token="t3", database_url="postgresql+psycopg://u:hunter2@db/x", smtp_password="pw1"
    )
    assert not {"t3", "hunter2", "pw1", settings.secret_key.get_secret_value()} & set(
        repr(settings).split("'")
    )
    assert "hunter2" not in repr(settings)


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = load(), load()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key.get_secret_value()) == 64
    key = tmp_path / "keiyaku-data" / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_processes_that_start_together_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = {future.result() for future in [pool.submit(kept_secret, tmp_path, "key") for _ in range(64)]}
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_places_follow_the_data_folder(tmp_path: Path) -> None:
    settings = load(data_dir="here")
    assert settings.data_dir == tmp_path / "here"
    assert settings.print_dir == tmp_path / "here" / "print"
    assert settings.database_url == f"sqlite:///{tmp_path}/here/keiyaku.db"


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="/file cannot be used: File exists"):
        load(data_dir=tmp_path / "file")

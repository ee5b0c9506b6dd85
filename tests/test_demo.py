"""A newcomer's first look."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.running import KEIYAKU

STORIES = 8


def demo(*arguments: str | Path, folder: Path) -> subprocess.Popen[str]:
    """Started as a person would; KEIYAKU_DATABASE_URL is that of a service that the demo must leave alone."""
    env = os.environ | {
        "TMPDIR": str(folder),
        "COLUMNS": "110",
        "KEIYAKU_DATABASE_URL": f"sqlite:///{folder}/not-yours.db",
    }
    return subprocess.Popen(
        [KEIYAKU, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        start_new_session=True,
    )


def parts(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    process = demo("--out", folder / "pictures", folder=folder)
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    return folder, said


def test_it_tells_two_years_of_every_branch(shown: tuple[Path, str]) -> None:
    _, said = shown
    for words in (
        "The card was declined",
        "The payment method was changed",
        "The old device is overdue",
        "The device did not come back: ¥20,000",
        "Refused by RNT-3",
        "Refused by RNT-9",
        "The application was turned down",
        "The deposit of ¥20,000 is not paid back",
        "deposit returned −¥20,000",
        "loss and theft cover of Support Premium begins",
    ):
        assert words in " ".join(said.replace("│", " ").split()), words


def test_it_draws_a_picture_of_every_story(shown: tuple[Path, str]) -> None:
    folder, _ = shown
    pictures = sorted((folder / "pictures").glob("*.svg"))
    assert len(pictures) == STORIES
    page = (folder / "pictures" / "index.html").read_text()
    for picture in pictures:
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
        assert picture.name in page


def test_it_leaves_nothing_behind_and_touches_no_service_of_yours(shown: tuple[Path, str]) -> None:
    folder, _ = shown
    assert [path.name for path in folder.iterdir()] == ["pictures"]


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    process = demo("--out", tmp_path / "pictures", folder=tmp_path)
    deadline = time.monotonic() + 150
    while len(parts(process)) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    started = parts(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert psutil.wait_procs(started, timeout=30)[1] == []
    assert list(tmp_path.iterdir()) == []

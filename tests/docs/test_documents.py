"""What the documents name is there: commands, targets, settings, files, figures."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

import cli
from rules import policy
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"`([^`\n]+)`|^```\w*\n(.*?)^```", re.M | re.S)
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def code(document: Path) -> list[str]:
    """What stands in backticks, line by line."""
    found = CODE.findall(document.read_text("utf-8"))
    return [line.strip() for inline, block in found for line in (inline or block).splitlines()]


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", document.read_text("utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


@each_document
def test_every_file_named_exists(document: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = {*tracked.split(), *(f"{folder}/" for path in tracked.split() for folder in _folders(path))}
    named = {
        word for word in code(document) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|toml|md|yml|sh))", word)
    }
    there = {word for word in named if word in known or any(path.endswith(f"/{word}") for path in known)}
    generated = {word for word in named if word.startswith(("keiyaku-data/", "my-")) or "KIND" in word}
    assert named - there - generated == set()


def _folders(path: str) -> list[str]:
    return [str(parent) for parent in Path(path).parents][:-1]


@each_document
def test_every_command_named_exists(document: Path) -> None:
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    named = {line.split()[1] for line in code(document) if re.match(r"keiyaku [a-z]", line)}
    assert named <= set(commands)


@each_document
def test_every_make_target_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {line.split()[1] for line in code(document) if re.match(r"make [a-z]", line)}
    assert named <= targets


@each_document
def test_every_setting_named_exists(document: Path) -> None:
    names = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+", document.read_text("utf-8"))) <= names


def test_the_readme_has_every_setting_and_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    settings = re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \|", readme, re.M)
    assert {name.lower() for name in settings} == set(Settings.model_fields)
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"^\| `keiyaku ([a-z-]+)", readme, re.M)) == set(commands)


def test_every_figure_of_the_policy_says_what_it_is() -> None:
    text = policy.DEFAULT.read_text("utf-8")
    head, silent = "", []
    for line in text.splitlines():
        head = line if line.startswith("[") else head
        if re.match(r"\w+ =", line) and "#" not in line and "#" not in head and not head.startswith("[["):
            silent.append(f"{head} {line}")
    assert not silent

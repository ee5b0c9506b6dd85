"""Keeps the tree as the design wants it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE, LONGEST_FUNCTION = 300, 70

# How many rules each chapter of the rulebook has.
RULES = {
    "CAL": 4, "IDN": 5, "RNT": 18, "LIN": 6, "COL": 7, "MAT": 12, "PNT": 10, "STO": 10, "BIL": 9,
}  # fmt: skip

TOP_LEVEL = {
    *(".ci", ".dockerignore", ".gitignore", "ARCHITECTURE.md", "LICENSE", "Makefile", "README.md"),
    *("docker-compose.yml", "pyproject.toml", "deploy", "docs", "requirements"),
    *("cli.py", "credentials.py", "gate.py", "logs.py", "schedules.py", "settings.py", "worker.py"),
    *(
        "activities",
        "api",
        "bench",
        "demo",
        "docs_gen",
        "embedded",
        "importing",
        "machines",
        "outside",
        "rules",
        "sandbox",
    ),
    *("store", "tests", "workflows"),
}

# The import linter sees packages only; this is its layer contract for the single-file modules.
MAY_IMPORT = {
    "settings": set[str](),
    "logs": set[str](),
    "credentials": set[str](),
    "gate": {"rules", "settings", "workflows"},
    "schedules": {"gate", "rules"},
    "worker": {
        *(
            "activities",
            "credentials",
            "gate",
            "outside",
            "rules",
            "schedules",
            "settings",
            "store",
            "workflows",
        ),
    },
}
OURS = {name.removesuffix(".py") for name in TOP_LEVEL if "." not in name or name.endswith(".py")}

# Put together here so that this file does not find itself.
HOSTS = "|".join(
    ("pypi" + r"\.org", "python" + "hosted", "npm" + "js", r"debian\." + "org", "(?<!emit-)index" + "-url")
)
PLACES = "|".join(f"/{place}/" for place in ("work", "root", "opt", "home"))
LEFT_OVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")


def tracked(*endings: str) -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and (not endings or path.suffix in endings):
            yield path


def readable() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue  # a font, a picture


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def product_code() -> Iterator[Path]:
    for path in tracked(".py"):
        if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
            yield path


def test_no_file_is_too_long_to_read() -> None:
    long = [named(path) for path in product_code() if len(path.read_text().splitlines()) > LONGEST_FILE]
    assert long == []


def test_no_function_is_too_long_to_read() -> None:
    long = [
        f"{named(path)}:{node.lineno} {node.name}"
        for path in product_code()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("pattern", [HOSTS, PLACES], ids=["registry host", "place on somebody's machine"])
def test_nothing_names_a(pattern: str) -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path, text in readable()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    found = [named(path) for path, text in readable() if LEFT_OVER.search(text)]
    assert found == []


def test_every_rule_that_is_named_stands_in_the_rulebook() -> None:
    pattern = re.compile(rf"\b({'|'.join(RULES)})-(\d+)\b")
    unknown = {
        f"{named(path)}: {chapter}-{number}"
        for path, text in readable()
        for chapter, number in pattern.findall(text)
        if not 1 <= int(number) <= RULES[chapter]
    }
    assert unknown == set()


def test_the_root_holds_only_what_it_should() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_every_package_of_ours_is_installed_with_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    packages = {path.relative_to(ROOT).parts[0] for path in tracked(".py")} - {"tests"}
    listed = {f'"{name.removesuffix(".py")}"' if name.endswith(".py") else f'"{name}*"' for name in packages}
    missing = {name for name in listed if name not in text}
    assert missing == set()


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_single_file_modules_import_downwards_only(module: str) -> None:
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert (imported & OURS) - MAY_IMPORT[module] == set()

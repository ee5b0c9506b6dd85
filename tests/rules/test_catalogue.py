"""Every rule that this service keeps so far has at least one test that names it."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from rules import texts

TESTS = Path(__file__).parents[1]
# Customer ID, access key and their reissue come with lines: a rental is signed into with a login ID (IDN-3).
WITH_LINES = {"IDN-1", "IDN-2"}
RULES = sorted(texts.texts("rule") - {"general", "consent"} - WITH_LINES)


def marked(file: Path) -> list[str]:
    """The rules named by `@pytest.mark.rule("…")` in a file."""
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return [
        argument.value
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.rule"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


NAMED = Counter(rule for file in sorted(TESTS.rglob("test_*.py")) for rule in marked(file))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_catalogue_has_a_test_that_names_it(rule: str) -> None:
    assert NAMED[rule] > 0


def test_every_rule_that_a_test_names_is_in_the_catalogue() -> None:
    assert set(NAMED) <= texts.texts("rule")


def test_the_catalogue_has_every_rule_of_the_rulebook_about_rentals() -> None:
    wanted = [*(f"CAL-{n}" for n in range(1, 5)), *(f"IDN-{n}" for n in range(1, 6))]
    wanted += [f"RNT-{n}" for n in range(1, 19)]
    assert set(wanted) == texts.texts("rule") - {"general", "consent"}

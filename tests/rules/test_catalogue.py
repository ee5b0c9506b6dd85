"""Every rule that this service keeps so far has at least one test that names it."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from rules import texts

TESTS = Path(__file__).parents[1]
KEPT = {"CAL": 4, "IDN": 5, "LIN": 6, "COL": 7, "MAT": 12, "PNT": 10, "RNT": 18, "BIL": 9}
RULEBOOK = [f"{chapter}-{number}" for chapter, last in KEPT.items() for number in range(1, last + 1)]
# What holds in the store and over HTTP only, so that no test of pure rules can show it; its tests are still to come.
STILL_TO_COME = {"BIL-2", "BIL-5", "BIL-6"}


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


@pytest.mark.parametrize("rule", [rule for rule in RULEBOOK if rule not in STILL_TO_COME])
def test_a_rule_has_a_test_that_names_it(rule: str) -> None:
    assert NAMED[rule] > 0


def test_what_is_still_to_come_has_not_come_yet() -> None:
    assert [rule for rule in STILL_TO_COME if NAMED[rule]] == [], "take it off the list"


def test_every_rule_that_a_test_names_is_in_the_rulebook() -> None:
    assert set(NAMED) <= set(RULEBOOK)


def test_every_title_is_that_of_a_rule_and_what_rentals_go_by_has_one() -> None:
    titled = texts.texts("rule") - {"general", "consent"}
    assert titled <= set(RULEBOOK)
    assert {rule for rule in RULEBOOK if rule.startswith(("CAL", "IDN", "RNT"))} <= titled

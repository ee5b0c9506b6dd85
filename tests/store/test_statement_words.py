"""What stands on a statement is called as when the month was closed, whatever it is called today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from rules import policy
from rules.figures import Policy
from rules.texts import Language
from store import bills, policies
from tests.rules.cases import POLICY
from tests.store.bills import close
from tests.store.lives import written
from tests.workflows.life import in_force

CLOSED = {"ja": "月額料金　Wi-Fi 50ギガ", "en": "Monthly fee: Wi-Fi 50 GB"}


@pytest.fixture(autouse=True)
def _the_policy_of_before() -> Iterator[None]:
    yield
    policy.use(POLICY)


def renamed(figures: Policy) -> Policy:
    plans = [plan.model_copy(update={"name": figures.plans[-1].name}) for plan in figures.plans]
    return figures.model_copy(update={"plans": plans})


def without_the_plan(figures: Policy) -> Policy:
    return figures.model_copy(update={"plans": [plan for plan in figures.plans if plan.plan != "wifi-50"]})


def text(engine: Engine, words: Language) -> Any:
    """Of the only line of June."""
    with engine.begin() as connection:
        row = bills.statement(connection, "k-1", "2026-06")
        assert row
        [line] = bills.shown(connection, row, words)["lines"]
    return line["text"]


@pytest.mark.rule("BIL-8")
@pytest.mark.parametrize("words", ["ja", "en"])
@pytest.mark.parametrize("change", [renamed, without_the_plan])
def test_a_closed_month_keeps_its_words_when_a_plan_gets_another_name_or_is_sold_no_more(
    engine: Engine, words: Language, change: Any
) -> None:
    written(engine, in_force())
    close(engine, "2026-06")
    policies.agree(engine, change(POLICY))
    assert text(engine, words) == CLOSED[words]


@pytest.mark.rule("BIL-8")
def test_a_policy_of_which_this_process_was_never_told_is_looked_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(engine, in_force())
    close(engine, "2026-06")
    monkeypatch.setattr(policy, "_known", {})
    policy.use(renamed(POLICY))
    assert text(engine, "ja") == CLOSED["ja"]

"""A change of support option: written at once with its dates, closed on the 1st or by the contract's end."""

from datetime import date

import pytest

from rules.facts import OptionPeriod
from rules.refusal import Refusal
from tests.rules.cases import STANDARD
from tests.workflows.life import Life, in_force


def asked(option: str | None, now: str = "2026-06-10 12:00:00") -> Life:
    life = in_force(support_option="support")
    life.ask(now, "support_option", {"option": option})
    return life


@pytest.mark.rule("RNT-11")
def test_a_change_is_held_with_its_dates_from_the_moment_it_is_accepted() -> None:
    life = asked("support_premium")
    assert life.contract.options == [
        OptionPeriod(option="support", first=date(2026, 4, 1), last=date(2026, 6, 30)),
        OptionPeriod(option="support_premium", first=date(2026, 7, 1), cover_from=date(2026, 9, 1)),
    ]
    assert (life.states(), life.due()) == ({"support_option": "accepted"}, "2026-07-01 00:00")


@pytest.mark.rule("RNT-11")
def test_the_1st_closes_it() -> None:
    life = asked("support_premium")
    life.wait("2026-06-30 23:59:59")
    assert life.states() == {"support_option": "accepted"}
    life.wait("2026-07-01 00:00:00")
    assert life.states() == {}
    assert life.told()[-1] == ("2026-07-01 00:00", "support_option_in_effect")


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-06-15 23:59:59", date(2026, 6, 30)),
        ("2026-12-15 23:59:59", date(2026, 12, 31)),
        ("2027-02-01 00:00:00", date(2027, 2, 28)),
        ("2028-02-01 00:00:00", date(2028, 2, 29)),
    ],
)
def test_a_removal_ends_with_the_month(now: str, last: date) -> None:
    life = asked(None, now)
    assert life.contract.options == [OptionPeriod(option="support", first=date(2026, 4, 1), last=last)]
    assert life.contract.option_on(last)


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize("now", ["2026-06-10 12:00:01", "2026-07-01 00:00:00", "2028-03-05 12:00:00"])
def test_there_is_no_second_change(now: str) -> None:
    no = asked("support_premium").judge(now, "support_option", {"option": None})
    assert isinstance(no, Refusal) and (no.rule, no.reason) == ("RNT-11", "option_changed_before")


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize(("kind", "body"), [("plan_change", STANDARD), ("cancellation", {})])
def test_a_contract_that_ends_first_supersedes_it(kind: str, body: dict[str, str]) -> None:
    life = asked("support_premium")
    effects = life.ask("2026-06-12 12:00:00", kind, body)
    assert set(life.states()) == {kind}
    assert "support_option_superseded" in [what for _, what in life.told()]
    assert life.contract.options == [
        OptionPeriod(option="support", first=date(2026, 4, 1), last=date(2026, 6, 30))
    ]
    assert [effect.item for effect in effects if effect.what == "option_ends"] == ["support"]
    life.wait("2026-07-01 00:00:00")
    assert life.contract.state == "ended"


@pytest.mark.rule("RNT-11")
def test_a_contract_that_ends_later_does_not() -> None:
    life = asked("support_premium")
    effects = life.ask("2026-06-16 00:00:00", "cancellation", {})
    assert life.states() == {"support_option": "accepted", "cancellation": "accepted"}
    assert [effect.item for effect in effects if effect.what == "option_ends"] == ["support_premium"]
    life.wait("2026-07-01 00:00:00")
    assert life.states() == {"cancellation": "accepted"}
    life.wait("2026-08-01 00:00:00")
    assert life.contract.options[-1].last == date(2026, 7, 31)


def test_an_option_ends_with_its_contract() -> None:
    life = in_force(support_option="support")
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    assert life.contract.options == [
        OptionPeriod(option="support", first=date(2026, 4, 1), last=date(2026, 6, 30))
    ]


@pytest.mark.rule("RNT-12")
def test_an_option_first_taken_later_is_covered_two_months_on() -> None:
    life = in_force()
    effects = life.ask("2026-06-10 12:00:00", "support_option", {"option": "support_premium"})
    assert [(effect.what, f"{effect.at:%Y-%m-%d}") for effect in effects] == [
        ("option_begins", "2026-07-01"),
        ("cover_begins", "2026-09-01"),
    ]

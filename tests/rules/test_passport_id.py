"""Passport IDs: how they are written, how many a line has, and when."""

from datetime import date

import pytest

from rules import passport_id
from rules.facts import Contract
from rules.passport_id import name_fault, password_fault
from rules.refusal import Refusal
from tests.rules.cases import POLICY, at, rental
from tests.rules.lines import line

SPACES = [" hanako", "hanako ", "\u3000hanako", "hanako\u3000", "\thanako", "hanako\n", "\u00a0hanako"]


def why(no: Refusal | None) -> str:
    return f"{no.rule} {no.reason}" if no else "ok"


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize(
    "name", ["abcd", "A" * 60, "0000", "....", "a.b_c-d@e", "Hanako", "hanako@example.jp", "-._@"]
)
def test_a_name_is_4_to_60_half_width_letters_digits_and_some_symbols(name: str) -> None:
    assert name_fault(name, POLICY) is None


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize(
    "name",
    ["", "abc", "A" * 61, "hana ko", "hana+ko", "hana/ko", "花子です", "ｈａｎａｋｏ", "hanakó", "１２３４"],
)
def test_anything_else_is_no_name(name: str) -> None:
    assert name_fault(name, POLICY) == "passport_name"


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize("name", SPACES)
def test_a_space_at_an_end_is_refused_with_a_hint(name: str) -> None:
    assert name_fault(name, POLICY) == password_fault(name) == "space_at_end"


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize("password", ["abcd", "ABCDEFGHIJ", "0123456789", "Aa1Aa1"])
def test_a_password_is_4_to_10_half_width_letters_and_digits(password: str) -> None:
    assert password_fault(password) is None


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize(
    "password", ["", "abc", "abcdefghijk", "abc-d", "ab cd", "a.bcd", "ａｂｃｄ", "パスワード", "٠١٢٣"]
)
def test_anything_else_is_no_password(password: str) -> None:
    assert password_fault(password) == "passport_password"


@pytest.mark.rule("MAT-2")
def test_a_name_that_is_taken_is_refused_by_the_rule_of_names() -> None:
    assert why(passport_id.name_taken()) == "MAT-2 name_taken"


@pytest.mark.rule("MAT-3")
@pytest.mark.parametrize(("living", "verdict"), [(0, "ok"), (4, "ok"), (5, "MAT-3"), (6, "MAT-3")])
def test_a_line_has_five_at_most(living: int, verdict: str) -> None:
    no = passport_id.too_many(living, POLICY)
    assert (no.rule if no else "ok") == verdict


@pytest.mark.rule("MAT-4")
@pytest.mark.parametrize(
    ("line_cap", "cap", "verdict"),
    [
        (50000, None, "ok"),
        (50000, 0, "ok"),
        (50000, 50000, "ok"),
        (50000, 50001, "MAT-4 cap_above_line"),
        (0, 0, "ok"),
        (0, 1, "MAT-4 cap_above_line"),
    ],
)
def test_an_id_s_cap_lies_inside_its_line_s(line_cap: int, cap: int | None, verdict: str) -> None:
    assert why(passport_id.cap_too_high(line(monthly_cap=line_cap), cap)) == verdict


@pytest.mark.rule("MAT-10")
def test_nothing_of_a_restricted_id_is_changed_online() -> None:
    assert why(passport_id.restricted()) == "MAT-10 restricted_id"


@pytest.mark.rule("MAT-1")
def test_it_is_for_lines_only() -> None:
    assert why(passport_id.not_here(rental(), at("2026-06-10 12:00:00"))) == "MAT-1 line_needed"
    assert why(passport_id.not_in_force(rental(), at("2026-06-10 12:00:00"))) == "CAL-4 not_in_force"


STATES = """
state        new    known
applied      CAL-4  CAL-4
preparing    CAL-4  CAL-4
active       ok     ok
suspended    CAL-4  ok
ending       CAL-4  ok
ended        CAL-4  CAL-4
converted    CAL-4  CAL-4
turned_down  CAL-4  CAL-4
"""


@pytest.mark.rule("MAT-1")
@pytest.mark.rule("CAL-4")
@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize(("state", "new", "known"), [row.split() for row in STATES.strip().splitlines()[1:]])
def test_a_new_id_needs_a_line_in_force_a_known_one_works_to_its_end(
    state: str, new: str, known: str
) -> None:
    contract = line(state=state, in_force_to=date(2026, 6, 30) if state == "ending" else None)
    now = at("2026-06-10 12:00:00")
    found = passport_id.not_here(contract, now), passport_id.not_in_force(contract, now)
    assert [no.rule if no else "ok" for no in found] == [new, known]


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("CAL-1")
@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-06-30 23:59:59", "ending"),
        ("2026-07-01 00:00:00", "ended"),
        ("2026-07-02 00:00:00", "ended"),
    ],
)
def test_it_works_to_the_last_second_whether_or_not_a_timer_has_fired(now: str, state: str) -> None:
    contract: Contract = line(state="ending", in_force_to=date(2026, 6, 30))
    assert passport_id.state_at(contract, at(now)) == state
    assert (passport_id.not_in_force(contract, at(now)) is None) == (state == "ending")

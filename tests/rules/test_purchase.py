"""What a purchase is refused for, whole."""

import pytest

from rules.purchase import Spent, refusal


def said(
    amount: int,
    by_line: int = 0,
    by_id: int = 0,
    line_cap: int | None = 50000,
    id_cap: int | None = None,
    restricted: bool = False,
    from_line: bool = True,
) -> str:
    no = refusal(amount, Spent(by_line, by_id), line_cap, id_cap, restricted, from_line)
    return f"{no.rule} {no.reason}" if no else "ok"


@pytest.mark.rule("MAT-4")
@pytest.mark.parametrize(
    ("amount", "by_line", "verdict"),
    [
        (1, 0, "ok"),
        (50000, 0, "ok"),
        (50001, 0, "MAT-4 over_line_cap"),
        (1, 49999, "ok"),
        (2, 49999, "MAT-4 over_line_cap"),
        (1, 50000, "MAT-4 over_line_cap"),
        (1, 60000, "MAT-4 over_line_cap"),  # the cap was set lower, or monthly items alone are over it
    ],
)
def test_the_line_s_cap_is_spent_to_the_last_yen_and_not_beyond(
    amount: int, by_line: int, verdict: str
) -> None:
    assert said(amount, by_line) == verdict


@pytest.mark.rule("MAT-4")
@pytest.mark.parametrize(
    ("amount", "by_line", "by_id", "verdict"),
    [
        (3000, 0, 0, "ok"),
        (3001, 0, 0, "MAT-4 over_id_cap"),
        (1, 3000, 3000, "MAT-4 over_id_cap"),
        (1000, 49000, 0, "ok"),
        (1001, 49000, 0, "MAT-4 over_line_cap"),
        (3000, 40000, 0, "ok"),  # what other IDs spent counts for the line alone
        (1, 2999, 2999, "ok"),
    ],
)
def test_an_id_has_its_own_inside_it(amount: int, by_line: int, by_id: int, verdict: str) -> None:
    assert said(amount, by_line, by_id, id_cap=3000) == verdict


@pytest.mark.rule("MAT-4")
def test_a_cap_of_nothing_lets_nothing_through() -> None:
    assert said(1, id_cap=0) == "MAT-4 over_id_cap"
    assert said(1, line_cap=0) == "MAT-4 over_line_cap"


@pytest.mark.rule("MAT-5")
def test_it_must_come_from_the_line() -> None:
    assert said(1, from_line=False) == "MAT-5 not_from_line"


@pytest.mark.rule("MAT-9")
@pytest.mark.parametrize("from_line", [True, False])
def test_a_restricted_id_buys_nothing_from_anywhere(from_line: bool) -> None:
    assert said(1, restricted=True, from_line=from_line) == "MAT-9 restricted_purchase"
    assert said(99999, restricted=True, from_line=from_line) == "MAT-9 restricted_purchase"

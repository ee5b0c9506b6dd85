"""IDs stand in the order in which they were given out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rules import ids

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_later_one_comes_after_an_earlier_one_whatever_else_it_is_made_of() -> None:
    earlier, later = ids.in_order(AT, "f" * 32), ids.in_order(AT + timedelta(milliseconds=1), "0" * 32)
    assert earlier < later
    assert {len(earlier), len(later)} == {32}


def test_the_same_instant_and_the_same_rest_are_the_same_id() -> None:
    assert ids.in_order(AT, "a" * 64) == ids.in_order(AT, "a" * 64) != ids.in_order(AT, "b" * 64)

"""A run over all contracts that cannot begin yet."""

from datetime import timedelta

from tests.rules.cases import at
from workflows.run import is_patient_no_more, look_again

LONGEST_HISTORY, A_LOOK = 51_200, 6
"""Events: after the first the server ends a workflow; the second is a look with its timer."""


def test_a_month_of_waiting_fits_into_its_history() -> None:
    waited, looks = timedelta(0), 0
    while waited < timedelta(days=31):
        waited, looks = waited + look_again(waited), looks + 1
    assert looks * A_LOOK < LONGEST_HISTORY


def test_what_comes_soon_is_seen_within_a_second_and_what_comes_late_within_ten_minutes() -> None:
    assert look_again(timedelta(seconds=9)) == timedelta(seconds=1)
    assert look_again(timedelta(minutes=5)) == timedelta(seconds=30)
    assert look_again(timedelta(days=20)) == timedelta(minutes=10)


def test_deadlines_have_their_ten_minutes_however_long_it_waited_for_another_run() -> None:
    began, since = at("2026-07-25 06:00:00"), at("2026-08-20 12:00:00")
    assert not is_patient_no_more(began, since, since + timedelta(minutes=10))
    assert is_patient_no_more(began, since, since + timedelta(minutes=10, seconds=1))
    assert is_patient_no_more(began, began, began + timedelta(minutes=11))

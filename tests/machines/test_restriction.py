import pytest

from machines.restriction import RestrictionMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state       event     verdict
accepted    restrict  restricted
restricted  restrict  refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(RestrictionMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(RestrictionMachine, TABLE)

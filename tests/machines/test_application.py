import pytest

from machines.application import ApplicationMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state        event        verdict
applied      approve      preparing
applied      turn_down    turned_down
applied      opened       refused
applied      shipped      refused
applied      month_began  refused
preparing    approve      refused
preparing    turn_down    refused
preparing    opened       active
preparing    shipped      active
preparing    month_began  active
active       approve      refused
active       turn_down    refused
active       opened       refused
active       shipped      refused
active       month_began  refused
turned_down  approve      refused
turned_down  turn_down    refused
turned_down  opened       refused
turned_down  shipped      refused
turned_down  month_began  refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(ApplicationMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(ApplicationMachine, TABLE)

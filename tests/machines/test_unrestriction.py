import pytest

from machines.unrestriction import UnrestrictionMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state           event         verdict
form_requested  send_form     form_sent
form_requested  receive_form  refused
form_requested  approve       refused
form_requested  turn_down     refused
form_requested  time_over     refused
form_requested  line_ended    lapsed
form_sent       send_form     refused
form_sent       receive_form  form_received
form_sent       approve       refused
form_sent       turn_down     refused
form_sent       time_over     lapsed
form_sent       line_ended    lapsed
form_received   send_form     refused
form_received   receive_form  refused
form_received   approve       lifted
form_received   turn_down     turned_down
form_received   time_over     refused
form_received   line_ended    lapsed
lifted          send_form     refused
lifted          receive_form  refused
lifted          approve       refused
lifted          turn_down     refused
lifted          time_over     refused
lifted          line_ended    refused
turned_down     send_form     refused
turned_down     receive_form  refused
turned_down     approve       refused
turned_down     turn_down     refused
turned_down     time_over     refused
turned_down     line_ended    refused
lapsed          send_form     refused
lapsed          receive_form  refused
lapsed          approve       refused
lapsed          turn_down     refused
lapsed          time_over     refused
lapsed          line_ended    refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(UnrestrictionMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(UnrestrictionMachine, TABLE)

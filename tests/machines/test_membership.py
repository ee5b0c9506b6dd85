import pytest

from machines.membership import MembershipMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state        event        verdict
requested    send_link    link_sent
requested    approve      link_sent
requested    turn_down    turned_down
requested    open_link    refused
requested    time_over    refused
requested    asked_again  superseded
requested    line_ended   lapsed
link_sent    send_link    refused
link_sent    approve      refused
link_sent    turn_down    refused
link_sent    open_link    joined
link_sent    time_over    lapsed
link_sent    asked_again  superseded
link_sent    line_ended   lapsed
joined       send_link    refused
joined       approve      refused
joined       turn_down    refused
joined       open_link    refused
joined       time_over    refused
joined       asked_again  refused
joined       line_ended   refused
turned_down  send_link    refused
turned_down  approve      refused
turned_down  turn_down    refused
turned_down  open_link    refused
turned_down  time_over    refused
turned_down  asked_again  refused
turned_down  line_ended   refused
lapsed       send_link    refused
lapsed       approve      refused
lapsed       turn_down    refused
lapsed       open_link    refused
lapsed       time_over    refused
lapsed       asked_again  refused
lapsed       line_ended   refused
superseded   send_link    refused
superseded   approve      refused
superseded   turn_down    refused
superseded   open_link    refused
superseded   time_over    refused
superseded   asked_again  refused
superseded   line_ended   refused
"""
)


@pytest.mark.rule("PNT-1")
@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(MembershipMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(MembershipMachine, TABLE)

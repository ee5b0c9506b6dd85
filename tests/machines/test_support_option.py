import pytest

from machines.support_option import SupportOptionMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state       event                verdict
accepted    month_began          in_effect
accepted    contract_ends_first  superseded
in_effect   month_began          refused
in_effect   contract_ends_first  refused
superseded  month_began          refused
superseded  contract_ends_first  refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(SupportOptionMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(SupportOptionMachine, TABLE)

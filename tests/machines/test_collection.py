import pytest

from machines.collection import CollectionMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state               event                 verdict
unpaid              carry_over            carried_over
unpaid              announce_suspension   refused
unpaid              suspend               refused
unpaid              announce_termination  refused
unpaid              terminate             refused
unpaid              pay                   paid
carried_over        carry_over            refused
carried_over        announce_suspension   suspension_notice
carried_over        suspend               refused
carried_over        announce_termination  refused
carried_over        terminate             refused
carried_over        pay                   paid
suspension_notice   carry_over            refused
suspension_notice   announce_suspension   refused
suspension_notice   suspend               suspended
suspension_notice   announce_termination  refused
suspension_notice   terminate             refused
suspension_notice   pay                   paid
suspended           carry_over            refused
suspended           announce_suspension   refused
suspended           suspend               refused
suspended           announce_termination  termination_notice
suspended           terminate             refused
suspended           pay                   paid
termination_notice  carry_over            refused
termination_notice  announce_suspension   refused
termination_notice  suspend               refused
termination_notice  announce_termination  refused
termination_notice  terminate             terminated
termination_notice  pay                   paid
terminated          carry_over            refused
terminated          announce_suspension   refused
terminated          suspend               refused
terminated          announce_termination  refused
terminated          terminate             refused
terminated          pay                   refused
paid                carry_over            refused
paid                announce_suspension   refused
paid                suspend               refused
paid                announce_termination  refused
paid                terminate             refused
paid                pay                   refused
"""
)


@pytest.mark.rule("BIL-3")
@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(CollectionMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(CollectionMachine, TABLE)

import pytest

from machines.plan_change import PlanChangeMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state            event              verdict
accepted         contract_ended     awaiting_device
accepted         return_overdue     refused
accepted         grace_over         refused
accepted         nothing_to_return  closed
accepted         device_received    refused
awaiting_device  contract_ended     refused
awaiting_device  return_overdue     device_overdue
awaiting_device  grace_over         refused
awaiting_device  nothing_to_return  refused
awaiting_device  device_received    closed
device_overdue   contract_ended     refused
device_overdue   return_overdue     refused
device_overdue   grace_over         device_charged
device_overdue   nothing_to_return  refused
device_overdue   device_received    closed
device_charged   contract_ended     refused
device_charged   return_overdue     refused
device_charged   grace_over         refused
device_charged   nothing_to_return  refused
device_charged   device_received    closed
closed           contract_ended     refused
closed           return_overdue     refused
closed           grace_over         refused
closed           nothing_to_return  refused
closed           device_received    refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(PlanChangeMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(PlanChangeMachine, TABLE)

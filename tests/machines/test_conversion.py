import pytest

from machines.conversion import ConversionMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state          event          verdict
number_issued  take_up        taken_up
number_issued  switch_over    refused
number_issued  validity_over  lapsed
number_issued  line_ended     lapsed
number_issued  new_number     superseded
taken_up       take_up        refused
taken_up       switch_over    converted
taken_up       validity_over  refused
taken_up       line_ended     lapsed
taken_up       new_number     refused
converted      take_up        refused
converted      switch_over    refused
converted      validity_over  refused
converted      line_ended     refused
converted      new_number     refused
lapsed         take_up        refused
lapsed         switch_over    refused
lapsed         validity_over  refused
lapsed         line_ended     refused
lapsed         new_number     refused
superseded     take_up        refused
superseded     switch_over    refused
superseded     validity_over  refused
superseded     line_ended     refused
superseded     new_number     refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(ConversionMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(ConversionMachine, TABLE)

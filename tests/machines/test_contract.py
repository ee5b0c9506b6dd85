import pytest

from machines.contract import ContractMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state        event      verdict
applied      approve    preparing
applied      turn_down  turned_down
applied      begin      refused
applied      set_end    refused
applied      end        refused
applied      convert    refused
preparing    approve    refused
preparing    turn_down  refused
preparing    begin      active
preparing    set_end    refused
preparing    end        refused
preparing    convert    refused
active       approve    refused
active       turn_down  refused
active       begin      refused
active       set_end    ending
active       end        refused
active       convert    converted
ending       approve    refused
ending       turn_down  refused
ending       begin      refused
ending       set_end    refused
ending       end        ended
ending       convert    refused
ended        approve    refused
ended        turn_down  refused
ended        begin      refused
ended        set_end    refused
ended        end        refused
ended        convert    refused
converted    approve    refused
converted    turn_down  refused
converted    begin      refused
converted    set_end    refused
converted    end        refused
converted    convert    refused
turned_down  approve    refused
turned_down  turn_down  refused
turned_down  begin      refused
turned_down  set_end    refused
turned_down  end        refused
turned_down  convert    refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(ContractMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(ContractMachine, TABLE)

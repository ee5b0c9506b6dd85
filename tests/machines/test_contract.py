import pytest

from machines.contract import ContractMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state        event      verdict
applied      approve    preparing
applied      turn_down  turned_down
applied      begin      refused
applied      suspend    refused
applied      resume     refused
applied      set_end    refused
applied      end        refused
applied      terminate  refused
applied      convert    refused
preparing    approve    refused
preparing    turn_down  refused
preparing    begin      active
preparing    suspend    refused
preparing    resume     refused
preparing    set_end    refused
preparing    end        refused
preparing    terminate  refused
preparing    convert    refused
active       approve    refused
active       turn_down  refused
active       begin      refused
active       suspend    suspended
active       resume     refused
active       set_end    ending
active       end        refused
active       terminate  refused
active       convert    converted
suspended    approve    refused
suspended    turn_down  refused
suspended    begin      refused
suspended    suspend    refused
suspended    resume     active
suspended    set_end    ending
suspended    end        refused
suspended    terminate  ended
suspended    convert    converted
ending       approve    refused
ending       turn_down  refused
ending       begin      refused
ending       suspend    refused
ending       resume     refused
ending       set_end    refused
ending       end        ended
ending       terminate  ended
ending       convert    refused
ended        approve    refused
ended        turn_down  refused
ended        begin      refused
ended        suspend    refused
ended        resume     refused
ended        set_end    refused
ended        end        refused
ended        terminate  refused
ended        convert    refused
converted    approve    refused
converted    turn_down  refused
converted    begin      refused
converted    suspend    refused
converted    resume     refused
converted    set_end    refused
converted    end        refused
converted    terminate  refused
converted    convert    refused
turned_down  approve    refused
turned_down  turn_down  refused
turned_down  begin      refused
turned_down  suspend    refused
turned_down  resume     refused
turned_down  set_end    refused
turned_down  end        refused
turned_down  terminate  refused
turned_down  convert    refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(ContractMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(ContractMachine, TABLE)

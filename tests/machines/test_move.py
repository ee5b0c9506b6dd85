import pytest

from machines.move import MoveMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state       event       verdict
accepted    opened      done
accepted    line_ended  superseded
done        opened      refused
done        line_ended  refused
superseded  opened      refused
superseded  line_ended  refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(MoveMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(MoveMachine, TABLE)

import pytest

from machines.payment_method import PaymentMethodMachine
from tests.machines.table import missing, rows, verdict

TABLE = rows(
    """
state      event          verdict
accepted   method_taken   in_effect
accepted   card_taken     in_effect
accepted   card_declined  declined
in_effect  method_taken   refused
in_effect  card_taken     refused
in_effect  card_declined  refused
declined   method_taken   refused
declined   card_taken     refused
declined   card_declined  refused
"""
)


@pytest.mark.parametrize(("state", "event", "expected"), TABLE)
def test_an_event_leads_where_the_table_says(state: str, event: str, expected: str) -> None:
    assert verdict(PaymentMethodMachine, state, event) == expected


def test_the_table_leaves_out_no_state_and_no_event() -> None:
    assert not missing(PaymentMethodMachine, TABLE)

"""Who may still sign in: customers of a contract that is in force, or ended not long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.calendar import first_of_month, midnight
from rules.facts import Contract
from rules.figures import Policy


def may_sign_in(contracts: list[Contract], now: datetime, policy: Policy) -> bool:
    """Until the months of the policy have passed since the last contract's end."""
    return any(
        now < _until(contract, now, policy) for contract in contracts if contract.state != "turned_down"
    )


def _until(contract: Contract, now: datetime, policy: Policy) -> datetime:
    if contract.in_force_to is None:
        return datetime.max.replace(tzinfo=now.tzinfo)
    over = contract.in_force_to + timedelta(days=1)
    # The same day of that month, or where it has no such day the 1st of the next.
    return midnight(first_of_month(over, policy.login.after_end_months) + timedelta(days=over.day - 1))

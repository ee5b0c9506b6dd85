"""Cancellation (RNT-8, RNT-9): until the 15th for the end of this month, from the 16th for the end of the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from rules import rental
from rules.calendar import day_of, last_of_month, midnight
from rules.effects import Effect
from rules.facts import Contract
from rules.policy import Policy
from rules.refusal import Refusal


def last_day(now: datetime, policy: Policy) -> date:
    """The contract's last day if the cancellation is accepted at `now` (RNT-8)."""
    today = day_of(now)
    return last_of_month(today, 0 if today.day <= policy.windows.cancellation_this_month_until else 1)


def refusal(contract: Contract, body: dict[str, Any], now: datetime, policy: Policy) -> Refusal | None:
    """None is taken on the settlement day (RNT-9)."""
    today = day_of(now)
    if today.day == policy.windows.settlement_day:
        opens = midnight(today + timedelta(days=1))
        return Refusal(rule="RNT-9", reason="cancellation_on_settlement_day", opens_at=opens)
    return None


def effects(contract: Contract, body: dict[str, Any], now: datetime, policy: Policy) -> list[Effect]:
    """Everything the end of the contract leads to."""
    return rental.effects(contract, last_day(now, policy), policy)

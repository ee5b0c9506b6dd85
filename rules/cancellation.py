"""Cancellation (RNT-8, RNT-9, LIN-4): until the 15th for the end of this month, from the 16th for the end of the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rules import line, rental
from rules.ask import Ask
from rules.calendar import day_of, end_of, last_of_month, midnight
from rules.effects import Effect
from rules.figures import Policy
from rules.refusal import Refusal


def last_day(now: datetime, policy: Policy) -> date:
    """The contract's last day if the cancellation is accepted at `now` (RNT-8, LIN-4)."""
    today = day_of(now)
    return last_of_month(today, 0 if today.day <= policy.windows.cancellation_this_month_until else 1)


def refusal(ask: Ask) -> Refusal | None:
    """None of a rental is taken on the settlement day (RNT-9); of a line it is, on any day (LIN-4)."""
    today = day_of(ask.now)
    if ask.contract.product == "rental" and today.day == ask.policy.windows.settlement_day:
        opens = midnight(today + timedelta(days=1))
        return Refusal(rule="RNT-9", reason="cancellation_on_settlement_day", opens_at=opens)
    return None


def effects(ask: Ask) -> list[Effect]:
    """Everything the end of the contract leads to."""
    last = last_day(ask.now, ask.policy)
    if ask.contract.product == "rental":
        return rental.effects(ask.contract, last, ask.policy)
    ends = end_of(last)
    return [Effect(at=ends, what="contract_ends"), *line.losses(ask.holdings, ends)]

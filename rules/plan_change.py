"""Plan change of a rental: the old contract ends with the month, a new one begins on the 1st (RNT-3 to RNT-7, RNT-18)."""

from __future__ import annotations

from datetime import date, datetime

from rules import rental
from rules.ask import Ask
from rules.calendar import day_of, first_of_month, last_of_month, midnight
from rules.effects import Effect
from rules.refusal import Refusal


def last_day(now: datetime) -> date:
    """The old contract's last day if the change is accepted at `now` (RNT-3)."""
    return last_of_month(day_of(now))


def refusal(ask: Ask) -> Refusal | None:
    """RNT-18 for what is held already, RNT-3 outside the 1st to the 15th."""
    if (ask.body["plan"], ask.body["course"]) == (ask.contract.plan, ask.contract.course):
        return Refusal(rule="RNT-18", reason="same_plan_and_course")
    today = day_of(ask.now)
    if today.day > ask.policy.windows.plan_change_until:
        opens = midnight(first_of_month(today, 1))
        return Refusal(rule="RNT-3", reason="plan_change_window", opens_at=opens)
    return None


def effects(ask: Ask) -> list[Effect]:
    """Old contract's end with all it costs, the new one's beginning, and the fee on its first statement."""
    last = last_day(ask.now)
    begins = midnight(first_of_month(last, 1))
    return [
        *rental.effects(ask.contract, last, ask.policy),
        Effect(at=begins, what="contract_begins", item=ask.body["plan"]),
        Effect(at=begins, what="fee", item="plan_change", amount=ask.policy.fees.plan_change),
        *(
            Effect(at=begins, what="fee", item=item, amount=amount)
            for item, amount in rental.paid_ahead(ask.body["plan"], ask.body["course"], ask.policy)
        ),
    ]

"""When a rented device must be back, and what follows if it is not (RNT-10). Whole days after the contract's last day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rules.calendar import end_of
from rules.figures import Policy


def overdue_at(last_day: date, policy: Policy) -> datetime:
    """00:00 of the day after the due day; the reminder goes out on that day."""
    return end_of(last_day + timedelta(days=policy.device_return.due_after_days))


def charged_at(last_day: date, policy: Policy) -> datetime:
    """When a device that has not come back is charged."""
    return overdue_at(last_day, policy) + timedelta(days=policy.device_return.charge_after_days)

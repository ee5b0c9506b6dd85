"""Collection of an unpaid bill: its steps by the calendar, and what a payment is for (BIL-3, MAT-12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pydantic import BaseModel

from rules import policy as policies
from rules.calendar import day_of, midnight
from rules.facts import Contract, Procedure
from rules.figures import Policy
from rules.refusal import Refusal

BLOCK = "collection"
STEPS = {
    "unpaid": ("carry_over", "carried_over_after_days"),
    "carried_over": ("announce_suspension", "suspension_notice_after_days"),
    "suspension_notice": ("suspend", "suspended_after_days"),
    "suspended": ("announce_termination", "termination_notice_after_days"),
    "termination_notice": ("terminate", "terminated_after_days"),
}
"""By state: the next step and the figure that says when it comes."""
DEMANDING = frozenset({"suspended", "termination_notice"})


class OpenBill(BaseModel):
    """A bill that is not paid: `left` is whole yen, tax included."""

    period: str
    due_on: date
    left: int


class Share(BaseModel):
    """What of a payment goes to which bill; `paid`: nothing is left of it after that."""

    period: str
    amount: int
    paid: bool


def day(due_on: date, figure: str, policy: Policy) -> date:
    """The day on which a step comes, named by its figure in the policy."""
    return due_on + timedelta(days=getattr(policy.collection, figure))


def step_at(state: str, due_on: date, policy: Policy) -> datetime | None:
    """When the step that leads on from `state` comes: at 00:00; None where none does."""
    return midnight(day(due_on, STEPS[state][1], policy)) if state in STEPS else None


def disclosed_at(due_on: date, policy: Policy) -> datetime:
    """When purchases that are still unpaid are told to their providers (MAT-12)."""
    return midnight(day(due_on, "disclosed_after_days", policy))


def next_due(state: str, due_on: date, disclosed: bool, policy: Policy) -> datetime | None:
    """When something happens next to a collection in `state`."""
    step = step_at(state, due_on, policy)
    return step if step is None or disclosed else min(step, disclosed_at(due_on, policy))


def suspended(contract: Contract, now: datetime) -> bool:
    """Whether an unpaid bill keeps the service from being used at `now`, whether or not a timer has fired yet."""
    return any(_reached(p, "suspended_after_days", now) for p in _collections(contract))


def terminated(contract: Contract, now: datetime) -> bool:
    """Whether an unpaid bill has ended the contract by `now`, whether or not a timer has fired yet."""
    return any(_reached(p, "terminated_after_days", now) for p in _collections(contract))


def _collections(contract: Contract) -> list[Procedure]:
    return [procedure for procedure in contract.procedures if procedure.kind == "collection"]


def _reached(procedure: Procedure, figure: str, now: datetime) -> bool:
    due_on = date.fromisoformat(procedure.data["due_on"])
    return now >= midnight(day(due_on, figure, policies.of(procedure.policy)))


def shares(amount: int, meant: str, bills: list[OpenBill]) -> tuple[list[Share], int]:
    """To which bills a payment goes: first the one that it is for, then the oldest; and what is left over (BIL-3)."""
    found: list[Share] = []
    for bill in sorted(bills, key=lambda bill: (bill.period != meant, bill.period)):
        part = min(amount, bill.left)
        amount -= part
        if part:
            found.append(Share(period=bill.period, amount=part, paid=part == bill.left))
    return found, amount


def cannot_take(contract: Contract, number: int, at: datetime, now: datetime) -> Refusal | None:
    """Why a payment, or the news of an unpaid bill, is not taken.

    The bills that it was sent with were read with transition `number`; another one since may have changed them.
    """
    if contract.number != number:
        return Refusal(rule="", reason="outdated")
    if day_of(at) > day_of(now):
        return Refusal(rule="BIL-3", reason="paid_in_the_future", opens_at=midnight(day_of(at)))
    return None

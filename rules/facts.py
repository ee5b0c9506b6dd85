"""What a contract's workflow knows: one serialisable snapshot, free of personal data, every fact with its dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

Product = Literal["rental", "line"]
WaitingOn = Literal["customer", "operator", "calendar", "other_operator", "nobody"]


class OptionPeriod(BaseModel):
    """A support option held from the first day to the last, both included; `last` None: until further notice."""

    option: str
    first: date
    last: date | None = None
    cover_from: date | None = None


class Task(BaseModel):
    """Something that waits for a person."""

    task_id: str
    kind: str
    procedure_id: str
    since: datetime
    due_at: datetime | None = None


class Procedure(BaseModel):
    """A pending machine: its state, its data, its next deadline, the digest of the figures it was accepted by."""

    procedure_id: str
    kind: str
    state: str
    waiting_on: WaitingOn
    policy: str
    due_at: datetime | None = None
    data: dict[str, Any] = {}


class Delivery(BaseModel):
    """Something that must reach the outside once: a mail, a letter, a card registration. The ID is derived."""

    delivery_id: str
    contract_id: str
    kind: str
    at: datetime
    procedure_id: str | None = None
    data: dict[str, Any] = {}


class Contract(BaseModel):
    """The snapshot. `in_force_to` is the last day, included; `number` counts the transitions recorded so far.

    `restricted` names passport IDs by their opaque IDs; the issues count the access and the authentication keys given out.
    `answers` remembers which procedure a command led to, so that a repeated command is answered and not done again.
    `policy` is the digest of the figures it was applied for under: its terms, whatever is sold later.
    """

    contract_id: str
    product: Product
    state: str
    policy: str
    applied_at: datetime
    plan: str | None = None
    course: str | None = None
    line_type: str | None = None
    two_year_discount: bool = False
    monthly_cap: int | None = None
    restricted: list[str] = []
    access_key_issue: int = 0
    authentication_key_issue: int = 0
    member_since: datetime | None = None
    payment_method: str
    payment_id: str
    blocks: list[str] = []
    in_force_from: date | None = None
    in_force_to: date | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    options: list[OptionPeriod] = []
    option_changed: bool = False
    predecessor_contract_id: str | None = None
    successor_contract_id: str | None = None
    procedures: list[Procedure] = []
    tasks: list[Task] = []
    deliveries: list[Delivery] = []
    answers: dict[str, str] = {}
    number: int = 0

    def pending(self, kind: str) -> Procedure | None:
        """The open procedure of that kind."""
        return next((procedure for procedure in self.procedures if procedure.kind == kind), None)

    def procedure(self, procedure_id: str) -> Procedure | None:
        return next((p for p in self.procedures if p.procedure_id == procedure_id), None)

    def task(self, task_id: str) -> Task | None:
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def option_on(self, day: date) -> OptionPeriod | None:
        """The support option held on `day`."""
        held = (o for o in self.options if o.first <= day and (o.last is None or day <= o.last))
        return next(held, None)

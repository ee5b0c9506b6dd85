"""What answers look like, for the OpenAPI document. Answers are built by `shapes`; the tests hold them against these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from rules import facts

T = TypeVar("T")
State = Literal["applied", "preparing", "active", "suspended", "ending", "ended", "converted", "turned_down"]


class Listed(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last")


class Applied(BaseModel):
    contract_id: str
    procedure_id: str
    state: State


class Brief(BaseModel):
    contract_id: str
    product: str
    state: State


class Session(BaseModel):
    token: str = Field(description="For `Authorization: Bearer`")
    expires_at: datetime
    contracts: list[Brief]


class Pending(BaseModel):
    procedure_id: str
    kind: str
    state: str


class Contract(BaseModel):
    contract_id: str
    product: str
    state: State
    plan: str | None
    course: str | None
    line_type: str | None
    payment_method: str
    applied_at: datetime
    in_force_from: date | None
    in_force_to: date | None = Field(description="The last day, included")
    started_at: datetime | None
    ended_at: datetime | None
    blocks: list[str] = Field(description="What is in the way, such as `card_declined`")
    pending: list[Pending]
    predecessor_contract_id: str | None
    successor_contract_id: str | None
    two_year_discount: bool | None = Field(None, description="Of a line")
    monthly_cap: int | None = Field(None, description="Of a line: yen of purchases a month, all IDs together")
    member_since: datetime | None = Field(None, description="Of a line: its customer is in the members' club")


class Registered(BaseModel):
    name: str
    kana: str
    email: str
    phone: str
    postal_code: str
    address: str


class OwnContract(Contract):
    registered_data: Registered


class NoticeSettings(BaseModel):
    language: Literal["ja", "en"]
    braille: bool
    bill_mail: bool


class Option(BaseModel):
    option: str | None
    begins_on: date | None
    ends_on: date | None
    cover_from: date | None = Field(description="First day of the loss-and-theft cover of premium kinds")
    key_code: str | None = Field(description="Of the security software that comes with premium kinds")


class HeldOption(Option):
    next: Option | None = Field(description="What follows the option held")


class Effect(BaseModel):
    at: datetime | None = Field(description="Null where nobody knows the moment yet")
    what: str
    amount: int | None = Field(description="Whole yen without tax, or points; null where there is no sum")
    text: str
    item: str | None = Field(None, description="Which fee, or what was bought monthly")
    count: int | None = Field(None, description="Months of a deposit or paid ahead; days until a form lapses")
    name: str | None = Field(None, description="Of the passport ID, as long as it is there")
    provider: str | None = Field(None, description="Of what was bought monthly")
    passport_id: str | None = None
    purchase_id: str | None = None


class Preview(BaseModel):
    effects: list[Effect]
    consent: str = Field(description="To be sent along by whoever agrees to just these effects")


class Accepted(BaseModel):
    procedure_id: str
    kind: str
    state: str
    waiting_on: facts.WaitingOn
    due_at: datetime | None = Field(description="When the next step happens by itself")
    effects: list[Effect]
    successor_contract_id: str | None = Field(None, description="Of a plan change")


class Procedure(Accepted):
    contract_id: str


class Queue(BaseModel):
    ahead: int
    about_minutes: int


class MachineMove(BaseModel):
    at: datetime
    event: str | None
    from_: str | None = Field(alias="from")
    to: str
    by: str


class ProcedureWithHistory(Procedure):
    queue: Queue | None = Field(description="While it waits for an operator")
    history: list[MachineMove]


class Entry(BaseModel):
    at: datetime = Field(description="When it happened")
    recorded_at: datetime = Field(description="When it was written down")
    what: str
    by: str
    procedure_id: str | None
    text: str


class Manual(BaseModel):
    manual: str
    name: str
    link: str = Field(description="A PDF in the language of `Accept-Language`; takes the same token")


class Task(BaseModel):
    task_id: str
    kind: str
    procedure_id: str
    contract_id: str
    since: datetime
    due_at: datetime | None
    actions: list[str]


class Done(BaseModel):
    task_id: str
    action: str
    procedure: Procedure
    state: State = Field(description="The contract's")


class Person(Registered):
    kind: Literal["individual", "corporate"]
    language: Literal["ja", "en"]


class Underway(BaseModel):
    kind: str
    at: datetime
    tries: int
    trouble: str | None = Field(description="Why it has not got through yet")
    next_try_at: datetime | None


class SeenContract(Contract):
    customer: Person
    membership_asked_with: str | None = Field(
        description="The e-mail of whoever wants to join the members' club"
    )
    tasks: list[Task]
    on_their_way: list[Underway]


class Lock(BaseModel):
    login_id: str
    locked: bool


class Health(BaseModel):
    status: Literal["ok"]


class Ready(Health):
    parts: dict[str, bool]


class Clock(BaseModel):
    now: datetime
    mode: Literal["real", "test"]


class Sent(BaseModel):
    at: datetime
    channel: Literal["mail", "post"]
    kind: str | None
    to: str
    contract_id: str | None
    subject: str
    text: str
    fields: dict[str, str]


ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "get /healthz": ("200", Health),
    "get /readyz": ("200", Ready),
    "post /v1/applications": ("202", Applied),
    "post /v1/sessions": ("201", Session),
    "get /v1/contracts": ("200", Listed[Contract]),
    "get /v1/contracts/{contract_id}": ("200", OwnContract),
    "get /v1/contracts/{contract_id}/timeline": ("200", Listed[Entry]),
    "patch /v1/contracts/{contract_id}/registered-data": ("200", Registered),
    "patch /v1/contracts/{contract_id}/notices": ("200", NoticeSettings),
    "get /v1/contracts/{contract_id}/support-option": ("200", HeldOption),
    "post /v1/contracts/{contract_id}/procedures/{kind}/preview": ("200", Preview),
    "post /v1/contracts/{contract_id}/procedures/{kind}": ("202", Accepted),
    "get /v1/contracts/{contract_id}/procedures": ("200", Listed[Procedure]),
    "get /v1/procedures/{procedure_id}": ("200", ProcedureWithHistory),
    "get /v1/manuals": ("200", Listed[Manual]),
    "get /operator/v1/tasks": ("200", Listed[Task]),
    "post /operator/v1/tasks/{task_id}": ("200", Done),
    "get /operator/v1/contracts": ("200", Listed[Contract]),
    "get /operator/v1/contracts/{contract_id}": ("200", SeenContract),
    "get /operator/v1/contracts/{contract_id}/timeline": ("200", Listed[Entry]),
    "post /operator/v1/logins/{login_id}/unlock": ("200", Lock),
    "get /dev/v1/outbox": ("200", Listed[Sent]),
    "get /dev/v1/clock": ("200", Clock),
    "post /dev/v1/clock": ("200", Clock),
}
FILES = {
    "get /v1/contracts/{contract_id}/receipts/{month}.pdf": "application/pdf",
    "get /v1/contracts/{contract_id}/statements/{month}.pdf": "application/pdf",
    "get /operator/v1/contracts/{contract_id}/statements/{month}.pdf": "application/pdf",
    "get /v1/manuals/{manual}.pdf": "application/pdf",
    "get /v1/procedures/{procedure_id}/diagram.svg": "image/svg+xml",
}

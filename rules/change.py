"""One transition as it is written to the store: the snapshot after it and everything that came with it, in one transaction."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

from rules.collection import OpenBill
from rules.effects import Effect
from rules.facts import Contract, Delivery, Procedure


class Entry(BaseModel):
    """A line of the timeline. `event`, `old` and `new` are set where a machine moved."""

    at: datetime
    what: str
    by: str
    procedure_id: str | None = None
    event: str | None = None
    old: str | None = None
    new: str | None = None
    data: dict[str, Any] = {}


class Charge(BaseModel):
    """A one-off amount for the statement of the month of `on`: whole yen without tax, negative where it is taken back."""

    charge_id: str
    contract_id: str
    on: date
    kind: str
    item: str
    amount: int


class Fee(BaseModel):
    """What a part of a contract (`base`, `option`) costs a month from a day on: whole yen without tax; no item, no fee."""

    contract_id: str
    part: str
    first_day: date
    item: str | None = None
    amount: int = 0


class Paying(BaseModel):
    """How a contract is paid from an instant on."""

    contract_id: str
    from_at: datetime
    method: str
    payment_id: str


class Done(BaseModel):
    """A task that somebody dealt with."""

    task_id: str
    action: str
    by: str
    at: datetime


class Arrived(BaseModel):
    """What came of a delivery, where that is a fact of the contract."""

    delivery_id: str
    outcome: str


class Begun(BaseModel):
    """A procedure with what its request leads to."""

    procedure: Procedure
    effects: list[Effect] = []
    body: dict[str, Any] = {}


class Successor(BaseModel):
    """The contract that a plan change begins, with its own timeline.

    `carried`: what is under way about its predecessor's card, and so about its own.
    """

    contract: Contract
    begun: Begun
    carried: list[Begun] = []
    entries: list[Entry]


class Credit(BaseModel):
    """Money that came in for a bill: whole yen, tax included. `at`: when it was paid."""

    credit_id: str
    period: str
    kind: str
    amount: int
    at: datetime


class Money(BaseModel):
    """What happens to a contract's bills: money that came in, `paid` off by month with the day of the last payment,
    collections begun by month and when, months whose purchases are told to their providers (MAT-12), and the instants
    from which, and until which, the service is suspended (BIL-3).
    """

    credits: list[Credit] = []
    paid: dict[str, date] = {}
    collected: dict[str, datetime] = {}
    disclosed: dict[str, datetime] = {}
    blocked: datetime | None = None
    unblocked: datetime | None = None


class Change(BaseModel):
    """Keyed by contract and `contract.number`: writing it again does nothing.

    `not_after`: that of the command it comes from, after which it must not be written. `restricted` and `lifted` are
    passport IDs, `moved` the procedure that brought a new address, `joined` the one by which the customer became a
    member; `wiped`: all that hangs on the line ends in the same transaction, and its names become unreadable (COL-6,
    COL-7, LIN-4).
    """

    contract: Contract
    recorded_at: datetime
    command_id: str | None = None
    not_after: datetime | None = None
    entries: list[Entry] = []
    begun: list[Begun] = []
    closed: list[Procedure] = []
    done: list[Done] = []
    charges: list[Charge] = []
    fees: list[Fee] = []
    paying: list[Paying] = []
    deliveries: list[Delivery] = []
    arrived: list[Arrived] = []
    restricted: list[str] = []
    lifted: list[str] = []
    moved: str | None = None
    joined: str | None = None
    wiped: bool = False
    successor: Successor | None = None
    money: Money | None = None


class Recorded(BaseModel):
    """`stored`: how the contract stands, where it is not as the writer thought; then nothing was written.

    `late`: nor was it because the command's time was over, so that its sender has heard that nothing happened.
    """

    stored: Contract | None = None
    late: bool = False


class Item(BaseModel):
    """A monthly item bought with a passport ID, and what its provider charges for ending it: yen as sent (COL-5)."""

    purchase_id: str
    passport_id: str
    cancellation_fee: int = 0


class Holdings(BaseModel):
    """What hangs on a line when a request is sent, by opaque IDs: the store knows it, the rules judge by it.

    `points_until`: of the points, how many there are by the last day on which they can be spent.
    """

    passport_ids: list[str] = []
    items: list[Item] = []
    points: int = 0
    points_until: dict[date, int] = {}


class Command(BaseModel):
    """`not_after`: when its sender stops waiting, so that it must be neither taken nor written any more. `policy`: the
    figures in force.
    """

    command_id: str
    not_after: datetime
    policy: str
    by: str


class Apply(Command):
    """An application. Who applies lies in the store under `command_id`."""

    support_option: str | None = None


class Request(Command):
    """A customer's request."""

    kind: str
    body: dict[str, Any]
    consent: str | None = None
    holdings: Holdings = Holdings()


class Advance(Command):
    """The other operator's part of a conversion, `take_up` or `switch_over`; or a mailed link, `open_link`."""

    procedure_id: str
    event: str


class Bill(Command):
    """A bill is `unpaid` after its settlement, or a `payment` of `amount` yen came in for it.

    `at`: the settlement's instant, or when it was paid. `bills`: all that is open, as of the contract's transition `number`.
    """

    event: Literal["unpaid", "payment"]
    period: str
    at: datetime
    number: int
    bills: list[OpenBill]
    amount: int = 0
    by_card: bool = False


class Act(Command):
    """An operator's answer to a task. `corporate`: the account is a company's, which the store knows (IDN-3)."""

    task_id: str
    action: str
    corporate: bool = False


class Answer(BaseModel):
    """The procedure that an accepted command began or moved; the rest is read from the store."""

    procedure_id: str

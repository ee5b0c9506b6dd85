"""The tables of money and points: dated facts that bills are made of, bills, payments, points, and runs and imports.

Every row stands under a key that says what it is about, so that writing it twice does nothing (PNT-10, BIL-8).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.types import Instant, Json


class ImportedRow(SQLModel, table=True):
    """Under which name elsewhere, as a digest, a contract was brought in: so it is brought in once."""

    __tablename__ = "imported"
    source: str = Field(primary_key=True)
    contract_id: str
    recorded_at: datetime = Field(sa_type=Instant)


class FeeRow(SQLModel, table=True):
    """A monthly fee from a day to a day, both included: whole yen without tax. `part`: `base` or `option`."""

    __tablename__ = "fee"
    contract_id: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    first_day: date = Field(primary_key=True)
    last_day: date | None = None
    item: str
    amount: int


class PayingRow(SQLModel, table=True):
    """How a contract is paid from an instant on: the latest row before an instant counts then."""

    __tablename__ = "paying"
    contract_id: str = Field(primary_key=True)
    from_at: datetime = Field(primary_key=True, sa_type=Instant)
    method: str
    payment_id: str


class BlockRow(SQLModel, table=True):
    """A suspension by collection: the contract is not in use from an instant to an instant (BIL-3, PNT-3)."""

    __tablename__ = "block"
    contract_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    from_at: datetime = Field(primary_key=True, sa_type=Instant)
    until_at: datetime | None = Field(default=None, sa_type=Instant)


class StatementRow(SQLModel, table=True):
    """One a contract and month, never changed but for `paid_on` and `collected_at` (BIL-8). Period `yyyy-mm`.

    `standard` and `included` are the bases of the tax classes, `untaxed` what bears no tax (deposits); `tax` is on
    `standard`. total_with_tax = standard + tax + included + untaxed - points_used. The sums are those of its lines.
    `policy`: the digest of the one by which it was made; its lines are called as in that one for ever.
    """

    # The month first, and nothing else is looked for: a run writes at the end of the one index.
    __tablename__ = "statement"
    period: str = Field(primary_key=True)
    contract_id: str = Field(primary_key=True)
    billing_number: str
    invoice: str
    payment_method: str
    payment_id: str
    standard: int
    included: int
    untaxed: int
    tax: int
    tax_percent: int = 0
    points_used: int
    total_with_tax: int
    due_on: date
    policy: str
    paid_on: date | None = None
    # When its collection was begun (BIL-3).
    collected_at: datetime | None = Field(default=None, sa_type=Instant)


class StatementLineRow(SQLModel, table=True):
    """A line of a statement. `source` names the fact it stands for, so that no fact stands on a statement twice."""

    # The month first, so that a run writes at the end of the index, however many years lie before it.
    __tablename__ = "statement_line"
    period: str = Field(primary_key=True)
    contract_id: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    kind: str
    item: str
    provider: str | None = None
    amount: int
    tax_class: str
    at: datetime = Field(sa_type=Instant)


class CreditRow(SQLModel, table=True):
    """Money that came in for a statement: whole yen, tax included. Their sum is what has been paid."""

    __tablename__ = "credit"
    __table_args__ = (Index("ix_credit_statement", "contract_id", "period"),)
    credit_id: str = Field(primary_key=True)
    contract_id: str
    period: str
    kind: str
    amount: int
    at: datetime = Field(sa_type=Instant)


class AskedRow(SQLModel, table=True):
    """What a card is to be charged for a statement, put down before the gateway is asked, and never changed.

    The statement is the gateway's key, so it is asked for the same again whatever came in meanwhile. `answer`: taken,
    declined; None while nobody knows.
    """

    __tablename__ = "asked"
    period: str = Field(primary_key=True)
    contract_id: str = Field(primary_key=True)
    reference: str
    amount: int
    answer: str | None = None


class MembershipLinkRow(SQLModel, table=True):
    """A registration link, by a keyed hash of its token. The e-mail stands here until somebody joins by it (PNT-1)."""

    __tablename__ = "membership_link"
    link: str = Field(primary_key=True)
    procedure_id: str = Field(unique=True)
    contract_id: str = Field(index=True)
    email: str | None = None


class MemberRow(SQLModel, table=True):
    """A member of the club, by line: grants go to those who joined before and have not left (PNT-1, PNT-2).

    `counted_from`: no grant due before it concerns this member, as for one who was brought in from elsewhere.
    """

    __tablename__ = "member"
    contract_id: str = Field(primary_key=True)
    email: str
    joined_at: datetime = Field(sa_type=Instant)
    counted_from: datetime = Field(sa_type=Instant)
    left_at: datetime | None = Field(default=None, sa_type=Instant)


class PointRow(SQLModel, table=True):
    """The ledger of points. A lot is a contract's grant of a day; the sum of a lot's rows is what is left of it (PNT-10).

    `what`: grant, spend, return, lapse, forfeit. `ref`: the exchange, where there is one, else "".
    """

    # Days first, so that a run writes at the end of the index, however many years lie before it. What a contract has is
    # looked for by contract and `lapses_on`, of which only a few are not over (rules.points.last_days). The index has all
    # that a balance is made of, in the order in which lots are summed up.
    __tablename__ = "point"
    __table_args__ = (Index("ix_point_lots", "lapses_on", "contract_id", "granted_on", "points"),)
    granted_on: date = Field(primary_key=True)
    contract_id: str = Field(primary_key=True)
    what: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    points: int
    lapses_on: date
    at: datetime = Field(sa_type=Instant)


class ExchangeRow(SQLModel, table=True):
    """Points given for something. `period`: the month whose bill a bill payment is taken off; `used`: what it took off."""

    __tablename__ = "exchange"
    __table_args__ = (Index("ix_exchange_contract", "contract_id", "period"),)
    exchange_id: str = Field(primary_key=True)
    contract_id: str
    kind: str
    item: str | None = None
    points: int
    at: datetime = Field(sa_type=Instant)
    period: str | None = None
    used: int | None = None


class DisclosureRow(SQLModel, table=True):
    """What was told to which provider, and why (MAT-12): a purchase on the unpaid bill of a month."""

    # Operators read them all, by their time.
    __tablename__ = "disclosure"
    __table_args__ = (Index("ix_disclosure_at", "at", "purchase_id", "period"),)
    purchase_id: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    provider: str
    amount: int
    at: datetime = Field(sa_type=Instant)


class RunRow(SQLModel, table=True):
    """One run over all contracts for one period. `state`: running, waiting (it names contracts that are left), done."""

    __tablename__ = "run"
    job: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    state: str
    due_at: datetime = Field(sa_type=Instant)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    expected: int = 0
    done: int = 0
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)


class ParkedRow(SQLModel, table=True):
    """A contract that a run could not deal with, and why: it holds up nobody else."""

    __tablename__ = "parked"
    job: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    contract_id: str = Field(primary_key=True)
    reason: str
    since: datetime = Field(sa_type=Instant)

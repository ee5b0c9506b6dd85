"""The tables. Only `store.changes` writes what a machine decides; personal data stands in account, party, payment, intake."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from store.types import Instant, Json

BILLING_DIGITS = 14
_MONTHLY = text("kind = 'monthly'")


def billing_number() -> str:
    """A contract's part of its bills' numbers."""
    return f"{secrets.randbelow(10**BILLING_DIGITS):0{BILLING_DIGITS}d}"


class AccountRow(SQLModel, table=True):
    """Somebody who can sign in: by login ID and password, or by customer ID and access key (IDN-1, IDN-3)."""

    __tablename__ = "account"
    account_id: str = Field(primary_key=True)
    kind: str
    language: str
    login_id: str | None = Field(default=None, unique=True)
    password_hash: str | None = None
    created_at: datetime = Field(sa_type=Instant)


class PartyRow(SQLModel, table=True):
    """Whom a contract is with, and how to reach them (RNT-17). Contracts that follow each other share one."""

    __tablename__ = "party"
    party_id: str = Field(primary_key=True)
    kind: str
    name: str
    kana: str
    email: str = Field(index=True)
    phone: str = Field(index=True)
    postal_code: str
    address: str
    language: str
    braille: bool = False
    bill_mail: bool = True


class ContractRow(SQLModel, table=True):
    """The present facts of a contract, as of transition `number`; `snapshot` is what its workflow starts from."""

    __tablename__ = "contract"
    contract_id: str = Field(primary_key=True)
    account_id: str = Field(index=True)
    party_id: str = Field(index=True)
    product: str
    state: str = Field(index=True)
    plan: str | None = None
    course: str | None = None
    payment_method: str
    payment_id: str
    line_type: str | None = None
    two_year_discount: bool = False
    applied_at: datetime = Field(sa_type=Instant, index=True)
    in_force_from: date | None = None
    in_force_to: date | None = None
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    predecessor_contract_id: str | None = None
    successor_contract_id: str | None = None
    due_at: datetime | None = Field(default=None, sa_type=Instant, index=True)
    number: int
    snapshot: dict[str, Any] = Field(sa_type=Json)
    # With the month it makes the number of a bill (BIL-2), so it must not be one that can be guessed.
    billing_number: str = Field(index=True, sa_column_kwargs={"default": billing_number})
    # The day from which on a contract that was brought in is billed here; what was before is closed elsewhere.
    counted_from: date | None = None


class LineAccessRow(SQLModel, table=True):
    """A line's customer ID (IDN-1). Access and authentication keys are derived, so nothing of them is kept.

    From `key_registered_at` on points are exchanged from anywhere (PNT-7).
    """

    __tablename__ = "line_access"
    contract_id: str = Field(primary_key=True)
    customer_id: str = Field(unique=True)
    key_registered_at: datetime | None = Field(default=None, sa_type=Instant)


class PassportIdRow(SQLModel, table=True):
    """A living passport ID. Its name stands here and nowhere else, so that deleting the row deletes it (COL-7)."""

    __tablename__ = "passport_id"
    passport_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    name: str = Field(unique=True)
    password_hash: str
    monthly_cap: int | None = None
    line_authentication: bool = True
    restricted: bool = False
    created_at: datetime = Field(sa_type=Instant)


class PurchaseRow(SQLModel, table=True):
    """Something bought with a passport ID: yen as sent, tax included. A monthly item is settled until `ended_at`."""

    __tablename__ = "purchase"
    __table_args__ = (
        Index("ix_purchase_spent", "contract_id", "at"),
        # Month end asks for what is still settled, among all that was ever bought.
        Index("ix_purchase_monthly", "contract_id", postgresql_where=_MONTHLY, sqlite_where=_MONTHLY),
    )
    purchase_id: str = Field(primary_key=True)
    contract_id: str
    passport_id: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    provider: str
    item: str
    kind: str
    amount: int
    cancellation_fee: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class ApprovalNumberRow(SQLModel, table=True):
    """Which conversion an approval number stands for (COL-1)."""

    __tablename__ = "approval_number"
    number: str = Field(primary_key=True)
    contract_id: str
    procedure_id: str = Field(index=True)


class DeletionRow(SQLModel, table=True):
    """That a passport ID was deleted, and when: all that remains of it (COL-7)."""

    __tablename__ = "deletion"
    passport_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    deleted_at: datetime = Field(sa_type=Instant)


class TransitionRow(SQLModel, table=True):
    """One row a transition: that it stands here is what makes writing it twice do nothing."""

    __tablename__ = "transition"
    contract_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    command_id: str | None = Field(default=None, index=True)
    recorded_at: datetime = Field(sa_type=Instant)


class ProcedureRow(SQLModel, table=True):
    __tablename__ = "procedure"
    procedure_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    kind: str
    state: str
    waiting_on: str
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    began_at: datetime = Field(sa_type=Instant)
    closed: bool = False
    effects: list[dict[str, Any]] = Field(sa_type=Json)
    body: dict[str, Any] = Field(sa_type=Json)


class EntryRow(SQLModel, table=True):
    """A line of the timeline: when it happened, and when it was written down."""

    __tablename__ = "timeline"
    entry_id: int | None = Field(default=None, primary_key=True)
    contract_id: str = Field(index=True)
    procedure_id: str | None = Field(default=None, index=True)
    at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    what: str
    by: str
    event: str | None = None
    old: str | None = None
    new: str | None = None
    data: dict[str, Any] = Field(sa_type=Json)


class TaskRow(SQLModel, table=True):
    """What waits, or waited, for an operator."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_open", "done_at", "kind", "since"),)
    task_id: str = Field(primary_key=True)
    kind: str
    contract_id: str = Field(index=True)
    procedure_id: str
    since: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    done_by: str | None = None
    action: str | None = None
    note: str | None = None


class DeliveryRow(SQLModel, table=True):
    """Something that must reach the outside once."""

    __tablename__ = "delivery"
    delivery_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    procedure_id: str | None = None
    kind: str
    at: datetime = Field(sa_type=Instant)
    outcome: str | None = Field(default=None, index=True)
    tries: int = 0
    trouble: str | None = None
    next_try_at: datetime | None = Field(default=None, sa_type=Instant)
    put_off_since: datetime | None = Field(
        default=None, sa_type=Instant, description="Of a run's mail: since when its mailbox takes it not yet"
    )
    data: dict[str, Any] = Field(sa_type=Json)


class ChargeRow(SQLModel, table=True):
    """A one-off amount, whole yen without tax, for the statement of the month of `on`. The sum of rows is the truth."""

    __tablename__ = "charge"
    charge_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    on: date = Field(sa_column_kwargs={"name": "on_day"})
    kind: str
    item: str
    amount: int
    billed_in: str | None = Field(default=None, description="The month of the statement that it stands on")


class PaymentRow(SQLModel, table=True):
    """How a contract is paid. The token of a card is the gateway's; the reference is what it gave for it."""

    __tablename__ = "payment"
    payment_id: str = Field(primary_key=True)
    contract_id: str = Field(index=True)
    method: str
    card_token: str | None = None
    reference: str | None = None
    brand: str | None = None
    last4: str | None = None


class IntakeRow(SQLModel, table=True):
    """Personal data of a command on its way: put here before the workflow decides, taken away by what it decides."""

    __tablename__ = "intake"
    command_id: str = Field(primary_key=True)
    received_at: datetime = Field(sa_type=Instant)
    payload: dict[str, Any] = Field(sa_type=Json)


class AnswerRow(SQLModel, table=True):
    """A remembered answer to a POST with an Idempotency-Key; `status` None while the first is being worked on."""

    __tablename__ = "answer"
    answer_key: str = Field(primary_key=True)
    contract_id: str | None = Field(default=None, index=True)
    body_hash: str
    received_at: datetime = Field(sa_type=Instant)
    leased_until: datetime = Field(sa_type=Instant)
    status: int | None = None
    headers: dict[str, Any] | None = Field(default=None, sa_type=Json)
    body: str | None = None


class LockRow(SQLModel, table=True):
    """Wrong tries for one name, known or not, or passport ID (IDN-5). `subject` is a keyed hash of it."""

    __tablename__ = "login_lock"
    subject: str = Field(primary_key=True)
    failures: int
    last_failure_at: datetime = Field(sa_type=Instant)
    locked_until: datetime | None = Field(default=None, sa_type=Instant)


class PolicyRow(SQLModel, table=True):
    """Every policy that contracts were ever decided by, under its digest."""

    __tablename__ = "policy"
    digest: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=Json)


class WorkerRow(SQLModel, table=True):
    """A worker that was alive not long ago, by the wall clock."""

    __tablename__ = "worker"
    worker_id: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=Instant)
    build_id: str | None
    """Which version of the code it runs."""

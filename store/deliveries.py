"""What must reach the outside, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from rules.facts import Contract
from store.tables import AccountRow, ContractRow, DeliveryRow, PartyRow
from store.write import set_values, table

UNDELIVERABLE = "undeliverable"

_rows = table(DeliveryRow)


def outcome(connection: Connection, delivery_id: str) -> str | None:
    """What came of it; None while it is still on its way."""
    return connection.execute(
        select(_rows.c.outcome).where(_rows.c.delivery_id == delivery_id)
    ).scalar_one_or_none()


def settle(connection: Connection, delivery_id: str, outcome: str) -> None:
    """It has arrived, or was refused for good."""
    values: dict[str, Any] = {"outcome": outcome, "trouble": None, "next_try_at": None}
    connection.execute(update(_rows).where(_rows.c.delivery_id == delivery_id).values(**values))


def arrived(connection: Connection, names: Iterable[str]) -> None:
    """All of them have."""
    nothing = {"trouble": None, "next_try_at": None}
    set_values(
        connection, DeliveryRow, [{"delivery_id": key, "outcome": "arrived", **nothing} for key in names]
    )


def trouble(connection: Connection, delivery_id: str, what: str, next_try_at: datetime) -> None:
    """It did not get through this time; why, for the operators, without personal data."""
    values = {"tries": _rows.c.tries + 1, "trouble": what, "next_try_at": next_try_at}
    connection.execute(update(_rows).where(_rows.c.delivery_id == delivery_id).values(**values))


def put_off_since(connection: Connection, names: Iterable[str]) -> dict[str, datetime]:
    """Since when those of them are put off that are."""
    since = _rows.c.put_off_since
    found = select(_rows.c.delivery_id, since).where(_rows.c.delivery_id.in_(list(names)), since.is_not(None))
    return {row.delivery_id: row.put_off_since for row in connection.execute(found)}


def put_off(connection: Connection, delivery_id: str, why: str, since: datetime, until: datetime) -> None:
    """Its mailbox takes it not now: it is tried again by itself, and no run waits for it."""
    trouble(connection, delivery_id, why, until)
    connection.execute(update(_rows).where(_rows.c.delivery_id == delivery_id).values(put_off_since=since))


def give_up(connection: Connection, refused: dict[str, str]) -> None:
    """They will not arrive, and why: for the operators, without personal data."""
    rows = [
        {"delivery_id": key, "outcome": UNDELIVERABLE, "trouble": why, "next_try_at": None}
        for key, why in refused.items()
    ]
    set_values(connection, DeliveryRow, rows)


def waiting(connection: Connection, contract_id: str) -> list[RowMapping]:
    """What is on its way for a contract, oldest first."""
    found = select(_rows).where(_rows.c.contract_id == contract_id, _rows.c.outcome.is_(None))
    return list(connection.execute(found.order_by(_rows.c.at, _rows.c.delivery_id)).mappings())


def recipient(connection: Connection, contract_id: str) -> RowMapping:
    """Party and account of the contract, for whoever writes to them."""
    contracts, parties, accounts = table(ContractRow), table(PartyRow), table(AccountRow)
    found = (
        select(parties, accounts.c.account_id, accounts.c.login_id)
        .join(contracts, contracts.c.party_id == parties.c.party_id)
        .join(accounts, accounts.c.account_id == contracts.c.account_id)
        .where(contracts.c.contract_id == contract_id)
    )
    return connection.execute(found).mappings().one()


def next_stop(connection: Connection, now: datetime) -> datetime | None:
    """The next instant at which something happens by itself: a contract's deadline or another try; `now` if overdue."""
    contracts = table(ContractRow)
    deadline = select(func.min(contracts.c.due_at)).scalar_subquery()
    waiting = _rows.c.outcome.is_(None)
    retry = select(func.min(_rows.c.next_try_at)).where(waiting).scalar_subquery()
    fresh = select(func.count()).where(waiting & _rows.c.next_try_at.is_(None)).scalar_subquery()
    first, second, unsent = connection.execute(select(deadline, retry, fresh)).one()
    stops = [stop for stop in (first, second, now if unsent else None) if stop]
    return min(stops, default=None)


def held_up(connection: Connection, now: datetime, tried: bool) -> list[Contract]:
    """Every contract of which something is due and not done; without `tried` none of which something is tried outside."""
    contracts = table(ContractRow)
    due = _rows.c.next_try_at.is_(None) | (_rows.c.next_try_at <= now)
    unsent = select(_rows.c.contract_id).where(_rows.c.outcome.is_(None) & due)
    late, trying = contracts.c.due_at <= now, contracts.c.contract_id.in_(unsent)
    found = connection.execute(
        select(contracts.c.snapshot).where((late | trying) if tried else (late & ~trying))
    ).scalars()
    return [Contract.model_validate(snapshot) for snapshot in found]

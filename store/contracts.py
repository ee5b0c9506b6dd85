"""Reading contracts, procedures, timelines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, RowMapping, Select, and_, exists, or_, select, union

from rules.facts import Contract
from store.tables import (
    AccountRow,
    ChargeRow,
    ContractRow,
    EntryRow,
    LineAccessRow,
    PartyRow,
    PassportIdRow,
    ProcedureRow,
    TransitionRow,
)
from store.write import table

_rows, _procedures, _entries = table(ContractRow), table(ProcedureRow), table(EntryRow)
_parties, _charges, _transitions = table(PartyRow), table(ChargeRow), table(TransitionRow)
_accounts, _access, _ids = table(AccountRow), table(LineAccessRow), table(PassportIdRow)


def snapshot(connection: Connection, contract_id: str) -> Contract:
    """The contract as of its last transition. Raises NoResultFound."""
    found = select(_rows.c.snapshot).where(_rows.c.contract_id == contract_id)
    return Contract.model_validate(connection.execute(found).scalar_one())


def lock_line(connection: Connection, contract_id: str) -> Contract:
    """The line, its row locked to the end of the transaction."""
    found = select(_rows.c.snapshot).where(_rows.c.contract_id == contract_id).with_for_update()
    return Contract.model_validate(connection.execute(found).scalar_one())


def owned(connection: Connection, contract_id: str, account_id: str | None) -> Contract | None:
    """The contract, if it is there and the account's; any account's where `account_id` is None (an operator looks)."""
    found = select(_rows.c.snapshot).where(_rows.c.contract_id == contract_id)
    if account_id is not None:
        found = found.where(_rows.c.account_id == account_id)
    row = connection.execute(found).scalar_one_or_none()
    return Contract.model_validate(row) if row else None


def led_to(connection: Connection, command_id: str) -> Contract | None:
    """The contract that a command has changed; None where it has changed nothing (yet)."""
    found = (
        select(_rows.c.snapshot)
        .join(_transitions, _transitions.c.contract_id == _rows.c.contract_id)
        .where(_transitions.c.command_id == command_id)
    )
    row = connection.execute(found).scalar_one_or_none()
    return Contract.model_validate(row) if row else None


def following(connection: Connection, last: str, limit: int) -> list[Contract]:
    """All contracts by ID, those after `last`."""
    found = select(_rows.c.snapshot).where(_rows.c.contract_id > last).order_by(_rows.c.contract_id)
    return [Contract.model_validate(row) for row in connection.execute(found.limit(limit)).scalars()]


def of_account(connection: Connection, account_id: str) -> list[Contract]:
    """All contracts of an account, the newest first."""
    found = select(_rows.c.snapshot).where(_rows.c.account_id == account_id)
    ordered = found.order_by(_rows.c.applied_at.desc(), _rows.c.contract_id)
    return [Contract.model_validate(row) for row in connection.execute(ordered).scalars()]


def procedure(connection: Connection, procedure_id: str, account_id: str | None) -> RowMapping | None:
    """A procedure's row, if it is there and the account's."""
    found = select(_procedures, _rows.c.account_id).join(
        _rows, _rows.c.contract_id == _procedures.c.contract_id
    )
    found = found.where(_procedures.c.procedure_id == procedure_id)
    if account_id is not None:
        found = found.where(_rows.c.account_id == account_id)
    return connection.execute(found).mappings().first()


def procedures(connection: Connection, contract_id: str) -> list[RowMapping]:
    """All procedures of a contract, oldest first."""
    found = select(_procedures).where(_procedures.c.contract_id == contract_id)
    return list(
        connection.execute(found.order_by(_procedures.c.began_at, _procedures.c.procedure_id)).mappings()
    )


def moves(connection: Connection, procedure_id: str) -> list[RowMapping]:
    """Every move of the procedure's machine, oldest first."""
    moved = and_(_entries.c.procedure_id == procedure_id, _entries.c.new.is_not(None))
    return list(connection.execute(select(_entries).where(moved).order_by(_entries.c.entry_id)).mappings())


def timeline(connection: Connection, contract_id: str) -> list[RowMapping]:
    """Everything that happened, oldest first; within an instant in the order it was decided."""
    found = select(_entries).where(_entries.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_entries.c.at, _entries.c.entry_id)).mappings())


def found(
    connection: Connection, query: str, limit: int, after: tuple[datetime, str] | None
) -> list[Contract]:
    """Contracts whose ID, or whose customer's name, e-mail or telephone, contains the words, the newest first.

    Those after a place; one more than `limit` where there are more. Where the words are all of an ID, a login, an
    e-mail or a telephone, an index knows whose: only other words are looked for in all contracts.
    """
    wanted = select(_rows.c.snapshot)
    if query:
        whose = named(query)
        known = connection.execute(select(exists(whose))).scalar_one()
        wanted = wanted.where(_rows.c.contract_id.in_(whose)) if known else _containing(query)
    if after:
        at, contract_id = after
        same = and_(_rows.c.applied_at == at, _rows.c.contract_id > contract_id)
        wanted = wanted.where(_rows.c.applied_at <= at, or_(_rows.c.applied_at < at, same))
    ordered = wanted.order_by(_rows.c.applied_at.desc(), _rows.c.contract_id).limit(limit + 1)
    return [Contract.model_validate(row) for row in connection.execute(ordered).scalars()]


def named(query: str) -> CompoundSelect[tuple[str]]:
    """The IDs of contracts that a contract ID, customer ID, login ID, e-mail or telephone stands for."""
    contract_id = _rows.c.contract_id
    with_login = select(_accounts.c.account_id).where(_accounts.c.login_id == query)
    reached = select(_parties.c.party_id).where(or_(_parties.c.phone == query, _parties.c.email == query))
    return union(
        select(contract_id).where(contract_id == query),
        select(_access.c.contract_id).where(_access.c.customer_id == query),
        select(contract_id).where(_rows.c.account_id.in_(with_login)),
        select(contract_id).where(_rows.c.party_id.in_(reached)),
    )


def signed_in_to_as(connection: Connection, name: str) -> list[str]:
    """The contracts that a customer ID, a login ID or the name of a passport ID stands for, where it is tried to get in."""
    contract_id, theirs = (
        _rows.c.contract_id,
        select(_accounts.c.account_id).where(_accounts.c.login_id == name),
    )
    found = union(
        select(_access.c.contract_id).where(_access.c.customer_id == name),
        select(contract_id).where(_rows.c.account_id.in_(theirs)),
        select(_ids.c.contract_id).where(_ids.c.name == name),
    )
    return list(connection.execute(found).scalars())


def _containing(query: str) -> Select[tuple[dict[str, Any]]]:
    columns = (_rows.c.contract_id, _parties.c.name, _parties.c.kana, _parties.c.email, _parties.c.phone)
    contains = or_(*(column.icontains(query, autoescape=True) for column in columns))
    return select(_rows.c.snapshot).join(_parties, _parties.c.party_id == _rows.c.party_id).where(contains)


def charges(connection: Connection, contract_id: str) -> list[RowMapping]:
    """One-off amounts of a contract, by day."""
    found = select(_charges).where(_charges.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_charges.c.on_day, _charges.c.charge_id)).mappings())

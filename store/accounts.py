"""Accounts: who may sign in, and to what."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from store.tables import AccountRow, ContractRow
from store.write import table

_rows, _contracts = table(AccountRow), table(ContractRow)


def is_first_contract(connection: Connection, account_id: str, contract_id: str) -> bool:
    """Whether the account had no contract confirmed before this one."""
    others = (_contracts.c.account_id == account_id) & (_contracts.c.contract_id != contract_id)
    confirmed = _contracts.c.state.not_in(("applied", "turned_down"))
    earlier = select(_contracts.c.contract_id).where(others & confirmed).limit(1)
    return connection.execute(earlier).first() is None


def give_login(connection: Connection, account_id: str, login_id: str, password_hash: str) -> None:
    """The login that its mail tells of. Repeating it changes nothing."""
    new = (_rows.c.account_id == account_id) & _rows.c.login_id.is_(None)
    connection.execute(update(_rows).where(new).values(login_id=login_id, password_hash=password_hash))


def by_login_id(connection: Connection, login_id: str) -> tuple[str, str] | None:
    """Account ID and password hash."""
    found = select(_rows.c.account_id, _rows.c.password_hash).where(_rows.c.login_id == login_id)
    row = connection.execute(found).first()
    return (row.account_id, row.password_hash) if row else None

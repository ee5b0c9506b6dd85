"""Accounts: who may sign in, and to what."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, or_, select, update

from store.tables import AccountRow, ContractRow, DeliveryRow
from store.write import table, unused

_rows, _contracts, _deliveries = table(AccountRow), table(ContractRow), table(DeliveryRow)


def is_first_told(connection: Connection, account_id: str, contract_id: str) -> bool:
    """Whether this contract's login is the first that the account is told of; one that nobody could deliver told nothing."""
    theirs = (_contracts.c.account_id == account_id) & (_deliveries.c.kind == "login")
    told = or_(_deliveries.c.outcome.is_(None), _deliveries.c.outcome == "arrived")
    first = (
        select(_deliveries.c.contract_id)
        .join(_contracts, _contracts.c.contract_id == _deliveries.c.contract_id)
        .where(theirs & told)
        .order_by(_deliveries.c.at, _deliveries.c.delivery_id)
        .limit(1)
    )
    return connection.execute(first).scalar_one_or_none() in (None, contract_id)


def unused_login_id(connection: Connection, login_ids: Iterable[str]) -> str:
    return unused(connection, _rows.c.login_id, login_ids)


def give_login(connection: Connection, account_id: str, login_id: str, password_hash: str) -> None:
    """The login that its mail tells of. Repeating it changes nothing."""
    new = (_rows.c.account_id == account_id) & _rows.c.login_id.is_(None)
    connection.execute(update(_rows).where(new).values(login_id=login_id, password_hash=password_hash))


def take_login(connection: Connection, contract_id: str, login_id: str, password_hash: str) -> None:
    """The password that a member has chosen; the account keeps the login ID it has, if it has one."""
    owner = select(_contracts.c.account_id).where(_contracts.c.contract_id == contract_id).scalar_subquery()
    values = {"login_id": func.coalesce(_rows.c.login_id, login_id), "password_hash": password_hash}
    connection.execute(update(_rows).where(_rows.c.account_id == owner).values(**values))


def of_contract(connection: Connection, contract_id: str) -> str:
    found = select(_contracts.c.account_id).where(_contracts.c.contract_id == contract_id)
    return str(connection.execute(found).scalar_one())


def is_corporate(connection: Connection, contract_id: str) -> bool:
    """Whether the contract's account is a company's."""
    found = select(_rows.c.kind).join(_contracts, _contracts.c.account_id == _rows.c.account_id)
    kind = connection.execute(found.where(_contracts.c.contract_id == contract_id)).scalar_one()
    return str(kind) == "corporate"


def login(connection: Connection, account_id: str) -> tuple[str, str] | None:
    """Login ID and password hash; None where the account has none yet."""
    found = select(_rows.c.login_id, _rows.c.password_hash).where(_rows.c.account_id == account_id)
    row = connection.execute(found).one()
    return (row.login_id, row.password_hash) if row.login_id else None


def by_login_id(connection: Connection, login_id: str) -> tuple[str, str] | None:
    """Account ID and password hash."""
    found = select(_rows.c.account_id, _rows.c.password_hash).where(_rows.c.login_id == login_id)
    row = connection.execute(found).first()
    return (row.account_id, row.password_hash) if row else None

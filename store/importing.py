"""Contracts that come from elsewhere, put into the store thousands at once as if they had been applied for here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, select

from rules import policy
from rules.calendar import midnight
from rules.change import Fee
from rules.facts import Contract
from rules.importing import Brought
from rules.points import lapses_on
from store import accounts, bulk
from store.changes import facts
from store.ledger import FeeRow, ImportedRow, MemberRow, PayingRow, PointRow
from store.points_grant import ledger_row
from store.sql import alone
from store.tables import (
    AccountRow,
    ContractRow,
    EntryRow,
    LineAccessRow,
    PartyRow,
    PaymentRow,
    ProcedureRow,
    TransitionRow,
    billing_number,
)
from store.write import table

BY = "import"
AT_ONCE = 5000
_contracts, _accounts, _imported = table(ContractRow), table(AccountRow), table(ImportedRow)


def there(connection: Connection, found: Iterable[Brought]) -> dict[str, datetime]:
    """Which of these contracts are in the store already, by `source`, and since when."""
    mine = _imported.c.source.in_([one.source for one in found])
    rows = connection.execute(select(_imported.c.source, _imported.c.recorded_at).where(mine))
    return {row.source: row.recorded_at for row in rows}


def write(
    connection: Connection, found: list[Brought], hashes: dict[str, str], now: datetime
) -> dict[str, datetime]:
    """Put in what is not there yet; as `there`. `hashes`: of passwords, by `source`. Raises IntegrityError, DataError.

    Whoever brings in the same at the same time waits for this transaction.
    """
    alone(connection, BY)
    known = there(connection, found)
    new = [one for one in found if one.source not in known]
    bulk.insert(connection, ImportedRow, [_imported_as(one, now) for one in new])
    _open_accounts(connection, new, hashes, now)
    bulk.insert(connection, PartyRow, [_party(one) for one in new])
    bulk.insert(connection, PaymentRow, [_payment(one) for one in new])
    bulk.insert(connection, ContractRow, [_contract(one) for one in new])
    bulk.insert(connection, TransitionRow, [_transition(one, now) for one in new])
    bulk.insert(connection, ProcedureRow, [row for one in new for row in _procedures(one)])
    bulk.insert(connection, EntryRow, [row for one in new for row in _entries(one, now)])
    bulk.insert(connection, FeeRow, [row for one in new for row in _fees(one.fees)])
    bulk.insert(connection, PayingRow, [_paying(one.contract) for one in new])
    lines = [one for one in new if one.row.product == "line"]
    bulk.insert(connection, LineAccessRow, [_access(one) for one in lines])
    bulk.insert(connection, MemberRow, [_member(one) for one in lines if one.row.member_since])
    bulk.insert(connection, PointRow, [row for one in lines for row in _points(one)])
    return known


def with_deadline(connection: Connection, after: str, limit: int) -> list[Contract]:
    """Contracts that were brought in and have a deadline, by ID, those after `after`: they must not rest."""
    mine = _contracts.c.counted_from.is_not(None) & _contracts.c.due_at.is_not(None)
    found = select(_contracts.c.snapshot).where(mine, _contracts.c.contract_id > after)
    rows = connection.execute(found.order_by(_contracts.c.contract_id).limit(limit))
    return [Contract.model_validate(row) for row in rows.scalars()]


def _open_accounts(connection: Connection, new: list[Brought], hashes: dict[str, str], now: datetime) -> None:
    """An account for each that has none; one that several share has the sign-in of whichever first brings one."""
    opened = {one.account_id: _account(one, hashes, now) for one in reversed(new)}
    present = select(_accounts.c.account_id).where(_accounts.c.account_id.in_(list(opened)))
    for account_id in connection.execute(present).scalars().all():
        del opened[account_id]
    bulk.insert(connection, AccountRow, list(opened.values()))
    for one in new:
        if one.row.account and one.row.login_id:
            told = _account(one, hashes, now)
            accounts.give_login(connection, one.account_id, one.row.login_id, told["password_hash"])


def _account(one: Brought, hashes: dict[str, str], now: datetime) -> dict[str, Any]:
    """A hash that comes with the file is taken as it is."""
    row = one.row
    return {
        "account_id": one.account_id,
        "kind": row.kind,
        "language": row.language,
        "login_id": row.login_id,
        "password_hash": hashes.get(one.source, row.password),
        "created_at": now,
    }


def _party(one: Brought) -> dict[str, Any]:
    named = ("kind", "name", "kana", "email", "phone", "postal_code", "address")
    told = (*named, "language", "braille", "bill_mail")
    return {"party_id": f"y-{one.key}", **{name: getattr(one.row, name) for name in told}}


def _payment(one: Brought) -> dict[str, Any]:
    row = one.row
    return {
        "payment_id": one.contract.payment_id,
        "contract_id": one.contract.contract_id,
        "method": row.payment_method,
        "reference": row.payment_reference,
        "brand": row.card_brand,
        "last4": row.card_last4,
    }


def _contract(one: Brought) -> dict[str, Any]:
    own = {"account_id": one.account_id, "party_id": f"y-{one.key}"}
    return facts(one.contract) | own | {"billing_number": billing_number(), "counted_from": one.on}


def _imported_as(one: Brought, now: datetime) -> dict[str, Any]:
    return {"source": one.source, "contract_id": one.contract.contract_id, "recorded_at": now}


def _transition(one: Brought, now: datetime) -> dict[str, Any]:
    return {"contract_id": one.contract.contract_id, "number": 1, "command_id": None, "recorded_at": now}


def _procedures(one: Brought) -> Iterator[dict[str, Any]]:
    for pending in one.contract.procedures:
        columns = pending.model_dump(include={"procedure_id", "kind", "state", "waiting_on", "due_at"})
        effects = [effect.model_dump(mode="json", exclude_none=True) for effect in one.effects]
        more = {"began_at": midnight(one.on), "closed": False, "effects": effects, "body": {}}
        yield columns | more | {"contract_id": one.contract.contract_id}


def _entries(one: Brought, now: datetime) -> Iterator[dict[str, Any]]:
    entry: dict[str, Any] = {
        "contract_id": one.contract.contract_id,
        "procedure_id": None,
        "at": midnight(one.on),
        "recorded_at": now,
        "what": "imported",
        "by": BY,
        "new": None,
        "data": {},
    }
    yield entry
    for pending in one.contract.procedures:
        told = {"procedure_id": pending.procedure_id, "new": pending.state}
        yield entry | told | {"what": "cancellation_imported", "data": {"last_day": str(one.row.in_force_to)}}


def _fees(fees: list[Fee]) -> Iterator[dict[str, Any]]:
    """Each to the day before the next of the same part."""
    for place, fee in enumerate(fees):
        following = (other.first_day for other in fees[place + 1 :] if other.part == fee.part)
        end = next(following, None)
        if fee.item is not None:
            yield fee.model_dump() | {"last_day": end and end - timedelta(days=1)}


def _paying(contract: Contract) -> dict[str, Any]:
    return {
        "contract_id": contract.contract_id,
        "from_at": contract.applied_at,
        "method": contract.payment_method,
        "payment_id": contract.payment_id,
    }


def _access(one: Brought) -> dict[str, Any]:
    return {"contract_id": one.contract.contract_id, "customer_id": one.row.customer_id}


def _member(one: Brought) -> dict[str, Any]:
    """What was granted before is among the lots of the file."""
    since = one.row.member_since
    assert since is not None, "whoever is no member was left out"
    return {
        "contract_id": one.contract.contract_id,
        "email": one.row.member_email,
        "joined_at": midnight(since),
        "counted_from": midnight(one.on),
    }


def _points(one: Brought) -> Iterator[dict[str, Any]]:
    figures = policy.current()
    granting = figures.job("points-grant").at
    for day, left in (one.row.points or {}).items():
        at = datetime.combine(day, granting or time(), midnight(day).tzinfo)
        yield ledger_row(
            one.contract.contract_id,
            day,
            lapses_on(day, figures),
            "grant",
            "",
            left,
            min(at, midnight(one.on)),
        )

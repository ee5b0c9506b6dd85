"""Members of the club, and the links by which they join. A member's e-mail stands here and nowhere else (PNT-1)."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from rules.change import Change
from rules.facts import Contract
from store.ledger import MemberRow, MembershipLinkRow
from store.tables import ContractRow, PartyRow
from store.write import insert, table, upsert

_rows, _links = table(MemberRow), table(MembershipLinkRow)
_contracts, _parties = table(ContractRow), table(PartyRow)


def record(connection: Connection, change: Change) -> None:
    """What a transition does to membership; nothing is asked of the database where it does nothing."""
    contract_id = change.contract.contract_id
    if change.joined:
        join(connection, contract_id, change.joined, change.entries[0].at)
    over = [procedure.procedure_id for procedure in change.closed if procedure.kind == "membership"]
    if over:
        forget(connection, over)


def expect(connection: Connection, contract_id: str, procedure_id: str, asked: dict[str, Any]) -> None:
    """Somebody wants to join: `asked` has the keyed hash of the link and the e-mail that it goes to."""
    row = {"contract_id": contract_id, "procedure_id": procedure_id, **asked}
    insert(connection, MembershipLinkRow, [row])


def by_link(connection: Connection, link: str) -> RowMapping | None:
    """What the link is about, by its keyed hash; one that was used or has lapsed is still known."""
    return connection.execute(select(_links).where(_links.c.link == link)).mappings().first()


def join(connection: Connection, contract_id: str, procedure_id: str, at: datetime) -> None:
    """A member from this instant on, under the e-mail that the link went to."""
    asked = select(_links.c.email).where(_links.c.procedure_id == procedure_id)
    email = connection.execute(asked).scalar_one()
    row = {"contract_id": contract_id, "email": email, "joined_at": at, "counted_from": at, "left_at": None}
    upsert(connection, MemberRow, [row])


def forget(connection: Connection, procedure_ids: list[str]) -> None:
    """The links are over: nobody's e-mail is kept with them."""
    over = _links.c.procedure_id.in_(procedure_ids)
    connection.execute(update(_links).where(over).values(email=None))


def asked_with(connection: Connection, contract_id: str) -> str | None:
    """The e-mail of whoever wants to join and has not yet."""
    found = select(_links.c.email).where(_links.c.contract_id == contract_id, _links.c.email.is_not(None))
    return connection.execute(found).scalars().first()


def email(connection: Connection, contract_id: str, procedure_id: str | None) -> str | None:
    """Where a mail of the club goes: to the address asked with, or to that of the member."""
    asked = select(_links.c.email).where(_links.c.procedure_id == procedure_id)
    member = select(_rows.c.email).where(_rows.c.contract_id == contract_id)
    return connection.execute(asked).scalar_one_or_none() or connection.execute(member).scalar_one_or_none()


def line_of(connection: Connection, name: str, phone: str) -> Contract | None:
    """The line in force of whoever is called so and has that telephone; the oldest where they have several."""
    found = (
        select(_contracts.c.snapshot, _parties.c.name, _parties.c.kana)
        .join(_parties, _parties.c.party_id == _contracts.c.party_id)
        .where(_parties.c.phone == phone, _contracts.c.product == "line")
        .order_by(_contracts.c.applied_at, _contracts.c.contract_id)
    )
    known = [
        Contract.model_validate(row.snapshot)
        for row in connection.execute(found)
        if _plain(name) in (_plain(row.name), _plain(row.kana))
    ]
    open_ones = [one for one in known if one.state in ("active", "suspended") and not one.member_since]
    return next(iter(open_ones), None)


def _plain(name: str) -> str:
    """Without spaces, and however wide it was typed."""
    return "".join(unicodedata.normalize("NFKC", name).split())

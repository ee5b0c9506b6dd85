"""Whom contracts are with, and how to reach them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from store.tables import ContractRow, EntryRow, PartyRow
from store.write import table

_rows, _contracts, _entries = table(PartyRow), table(ContractRow), table(EntryRow)


def of_contract(connection: Connection, contract_id: str) -> RowMapping:
    """The party of a contract that exists."""
    joined = select(_rows).join(_contracts, _contracts.c.party_id == _rows.c.party_id)
    return connection.execute(joined.where(_contracts.c.contract_id == contract_id)).mappings().one()


def change(
    connection: Connection, contract_id: str, values: dict[str, Any], what: str, now: datetime
) -> RowMapping:
    """Change registered data on any day (RNT-17). The timeline says which fields, never what is in them."""
    party = of_contract(connection, contract_id)
    connection.execute(update(_rows).where(_rows.c.party_id == party["party_id"]).values(**values))
    entry = {"contract_id": contract_id, "at": now, "recorded_at": now, "what": what, "by": "customer"}
    connection.execute(_entries.insert().values(**entry, data={"fields": sorted(values)}))
    return of_contract(connection, contract_id)

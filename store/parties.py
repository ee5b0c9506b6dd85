"""Whom contracts are with, and how to reach them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from store.tables import ContractRow, PartyRow
from store.timeline import note
from store.write import table

_rows, _contracts = table(PartyRow), table(ContractRow)


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
    note(connection, contract_id, what, now, fields=sorted(values))
    return of_contract(connection, contract_id)

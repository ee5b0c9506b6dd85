"""Purchases: one transaction each, which holds the line's row, so that no two of them spend the same yen (MAT-4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, case, func, select

from rules import passport_id as id_rule
from rules import purchase as rule
from rules.calendar import day_of, first_of_month, midnight
from rules.refusal import Refusal
from store import passport_ids
from store.tables import PurchaseRow
from store.write import table

_rows = table(PurchaseRow)


class Gone(Exception):
    """The ID was deleted while its password was being checked."""


def take(
    connection: Connection, passport: RowMapping, values: dict[str, Any], from_line: bool, now: datetime
) -> Refusal | None:
    """Write the purchase, or say why not. Raises Gone."""
    contract = passport_ids.lock_line(connection, passport["contract_id"])
    present = passport_ids.find(connection, contract.contract_id, passport["passport_id"])
    if present is None or id_rule.not_in_force(contract, now):
        raise Gone
    settled = spent(connection, contract.contract_id, present["passport_id"], now)
    no = rule.refusal(
        values["amount"],
        settled,
        contract.monthly_cap,
        present["monthly_cap"],
        present["restricted"],
        from_line or not present["line_authentication"],
    )
    if no:
        return no
    where = {"contract_id": contract.contract_id, "passport_id": present["passport_id"], "at": now}
    connection.execute(_rows.insert().values(**where, **values))
    return None


def spent(connection: Connection, contract_id: str, passport_id: str, now: datetime) -> rule.Spent:
    """What the month of `now` has cost so far: bought in it, and monthly items settled on its 1st."""
    first = midnight(first_of_month(day_of(now)))
    bought = _rows.c.at >= first
    # A monthly item is settled on the 1st for the month, so one that ends later in the month still counts.
    settled = (_rows.c.kind == "monthly") & (_rows.c.ended_at.is_(None) | (_rows.c.ended_at >= first))
    mine = case((_rows.c.passport_id == passport_id, _rows.c.amount), else_=0)
    sums = select(func.coalesce(func.sum(_rows.c.amount), 0), func.coalesce(func.sum(mine), 0))
    by_line, by_id = connection.execute(
        sums.where(_rows.c.contract_id == contract_id, bought | settled)
    ).one()
    return rule.Spent(int(by_line), int(by_id))


def of_contract(connection: Connection, contract_id: str) -> list[RowMapping]:
    """Every purchase, oldest first."""
    found = select(_rows).where(_rows.c.contract_id == contract_id)
    return list(connection.execute(found.order_by(_rows.c.at, _rows.c.purchase_id)).mappings())


def living_items(connection: Connection, passport_id: str) -> list[RowMapping]:
    """The monthly items of an ID that are still settled."""
    found = select(_rows).where(_rows.c.passport_id == passport_id, _rows.c.kind == "monthly")
    return list(connection.execute(found.where(_rows.c.ended_at.is_(None)).order_by(_rows.c.at)).mappings())

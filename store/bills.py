"""Bills and what was paid for them: read for whoever decides, and written in the transaction of the transition (BIL-3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, tuple_, update

from rules import jobs, statement_shown
from rules.calendar import day_of
from rules.change import Change, Money
from rules.collection import BLOCK, OpenBill
from rules.facts import Contract
from rules.statement import month_of
from rules.texts import Language
from store import contracts, disclosures, policies
from store.ledger import BlockRow, CreditRow, StatementLineRow, StatementRow
from store.tables import EntryRow
from store.write import insert, table, upsert

_rows, _credits, _blocks = table(StatementRow), table(CreditRow), table(BlockRow)
_lines = table(StatementLineRow)


def paid_so_far(*which: ColumnElement[bool]) -> Any:
    """What came in for a statement, or those of it of which that holds, as part of a query over statements."""
    mine = (_credits.c.contract_id == _rows.c.contract_id) & (_credits.c.period == _rows.c.period)
    paid = select(func.coalesce(func.sum(_credits.c.amount), 0)).where(
        mine, _credits.c.kind != "over", *which
    )
    return paid.correlate(_rows).scalar_subquery()


def standing(connection: Connection, contract_id: str) -> tuple[Contract, list[OpenBill]]:
    """The contract and its open bills, the oldest first, as of one transition. Raises NoResultFound."""
    contract = contracts.snapshot(connection, contract_id)
    left = (_rows.c.total_with_tax - paid_so_far()).label("left_over")
    found = select(_rows.c.period, _rows.c.due_on, left).where(_rows.c.paid_on.is_(None))
    mine = (_rows.c.contract_id == contract_id) & _rows.c.period.in_(_months(connection, contract))
    rows = connection.execute(found.where(mine).order_by(_rows.c.period))
    return contract, [OpenBill(period=p, due_on=due_on, left=yen) for p, due_on, yen in rows if yen > 0]


def _months(connection: Connection, contract: Contract) -> list[str]:
    """For which it may have statements. The index begins with the month, so all of them are named."""
    last = connection.execute(select(func.max(_rows.c.period))).scalar_one()
    return jobs.months(day_of(contract.applied_at), last) if last else []


def by_number(connection: Connection, contract_id: str, billing_number: str) -> RowMapping | None:
    """The contract's statement that a billing number stands for."""
    found = statement(connection, contract_id, month_of(billing_number))
    return found if found and found["billing_number"] == billing_number else None


def number_of(connection: Connection, contract_id: str, period: str) -> str:
    """The billing number of a statement. Raises NoResultFound."""
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period)
    return str(connection.execute(select(_rows.c.billing_number).where(mine)).scalar_one())


def told(connection: Connection, contract_id: str, period: str) -> dict[str, str]:
    """What a customer is told of a new statement. Raises NoResultFound."""
    columns = (_rows.c.billing_number, _rows.c.total_with_tax, _rows.c.due_on)
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period)
    found = connection.execute(select(*columns).where(mine)).mappings().one()
    return {name: str(value) for name, value in found.items()}


def months(connection: Connection, contract_id: str, since: str, before: str) -> list[RowMapping]:
    """Statements of the months from `since` to the one before `before`, the newest first."""
    named = jobs.months(jobs.first_day(since), before)[:-1]
    mine = (_rows.c.contract_id == contract_id) & _rows.c.period.in_(named)
    return list(connection.execute(select(_rows).where(mine).order_by(_rows.c.period.desc())).mappings())


def statement(connection: Connection, contract_id: str, period: str) -> RowMapping | None:
    """The statement of a month."""
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period)
    return connection.execute(select(_rows).where(mine)).mappings().first()


def lines(connection: Connection, contract_id: str, period: str) -> list[RowMapping]:
    """The lines of a statement: our own by their dates, then purchases by provider (MAT-6)."""
    mine = (_lines.c.contract_id == contract_id) & (_lines.c.period == period)
    ordered = (func.coalesce(_lines.c.provider, ""), _lines.c.at, _lines.c.source)
    return list(connection.execute(select(_lines).where(mine).order_by(*ordered)).mappings())


def shown(connection: Connection, row: RowMapping, words: Language) -> dict[str, Any]:
    """A statement as people are shown it, in the words of when it was made: a closed month never changes (BIL-8)."""
    figures = policies.of(connection, row["policy"])
    found = lines(connection, row["contract_id"], row["period"])
    return statement_shown.shown(row, found, figures, words)


def by_card(connection: Connection, contract_id: str, period: str) -> tuple[int, datetime] | None:
    """What was taken from a card for a statement, and when last; None where nothing was (RNT-16)."""
    mine = (_credits.c.contract_id == contract_id) & (_credits.c.period == period)
    found = select(func.sum(_credits.c.amount), func.max(_credits.c.at)).where(
        mine, _credits.c.kind == "card"
    )
    amount, at = connection.execute(found).one()
    return (int(amount), at) if amount else None


def paid_with(connection: Connection, contract_id: str, command_id: str) -> list[RowMapping]:
    """What the money of one payment was for, in its order."""
    columns = (_credits.c.period, _credits.c.kind, _credits.c.amount, _rows.c.billing_number, _rows.c.paid_on)
    same = (_credits.c.contract_id == _rows.c.contract_id) & (_credits.c.period == _rows.c.period)
    its = _credits.c.credit_id.startswith(f"{command_id}-", autoescape=True)
    found = select(*columns).join(_rows, same).where(_credits.c.contract_id == contract_id, its)
    return list(connection.execute(found.order_by(_credits.c.credit_id)).mappings())


def record(connection: Connection, change: Change, money: Money) -> None:
    """What the transition does to the contract's bills, once."""
    contract_id = change.contract.contract_id
    credits = [credit.model_dump() | {"contract_id": contract_id} for credit in money.credits]
    if credits:
        receive(connection, credits, change.recorded_at)
    for period, day in money.paid.items():
        paid_on = _last_needed(connection, contract_id, period) or day
        _set(connection, contract_id, period, _rows.c.paid_on.is_(None), paid_on=paid_on)
    for period, at in money.collected.items():
        _set(connection, contract_id, period, _rows.c.collected_at.is_(None), collected_at=at)
    for period, at in money.disclosed.items():
        disclosures.record(connection, contract_id, period, at, change.recorded_at)
    _block(connection, contract_id, money)


def receive(connection: Connection, credits: list[dict[str, Any]], recorded_at: datetime) -> None:
    """Write down money that came in, each once; what is more than its statement asks for counts for none, and is noted.

    Whoever asked for it had read the bill before: a settlement and a payment of the same moment both found it open.
    The statements are held first, so that the second of them sees what the first has written.
    """
    meant = {(one["contract_id"], one["period"]): one for one in credits if one["kind"] != "over"}
    mine, paid = tuple_(_rows.c.contract_id, _rows.c.period).in_(list(meant)), paid_so_far()
    connection.execute(select(_rows.c.period).where(mine).with_for_update())
    upsert(connection, CreditRow, credits)
    excess = (paid - _rows.c.total_with_tax).label("excess")
    found = select(_rows.c.contract_id, _rows.c.period, excess).where(mine, paid > _rows.c.total_with_tax)
    for contract_id, period, yen in connection.execute(found).all():
        _set_aside(connection, meant[contract_id, period], yen)
        _note_over(connection, meant[contract_id, period], yen, recorded_at)


def _note_over(connection: Connection, credit: dict[str, Any], excess: int, recorded_at: datetime) -> None:
    """For somebody to send it back."""
    entry = {"contract_id": credit["contract_id"], "at": credit["at"], "recorded_at": recorded_at}
    entry |= {"what": "payment_over", "by": "calendar", "data": {"amount": min(excess, credit["amount"])}}
    insert(connection, EntryRow, [entry])


def _last_needed(connection: Connection, contract_id: str, period: str) -> date | None:
    """The day of the latest money for a statement: what is booked last may be dated before what was booked first."""
    mine = (_credits.c.contract_id == contract_id) & (_credits.c.period == period)
    found = select(func.max(_credits.c.at)).where(mine, _credits.c.kind != "over")
    at = connection.execute(found).scalar_one()
    return day_of(at) if at else None


def _set_aside(connection: Connection, credit: dict[str, Any], excess: int) -> None:
    mine = _credits.c.credit_id == credit["credit_id"]
    if excess >= credit["amount"]:
        connection.execute(update(_credits).where(mine).values(kind="over"))
        return
    connection.execute(update(_credits).where(mine).values(amount=credit["amount"] - excess))
    over = {"credit_id": f"{credit['credit_id']}-over", "kind": "over", "amount": excess}
    upsert(connection, CreditRow, [credit | over])


def _set(connection: Connection, contract_id: str, period: str, still: Any, **values: Any) -> None:
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period) & still
    connection.execute(update(_rows).where(mine).values(**values))


def _block(connection: Connection, contract_id: str, money: Money) -> None:
    if money.blocked:
        row = {"contract_id": contract_id, "kind": BLOCK, "from_at": money.blocked, "until_at": None}
        upsert(connection, BlockRow, [row], change=("until_at",))
    if money.unblocked:
        open_one = (_blocks.c.contract_id == contract_id) & (_blocks.c.kind == BLOCK)
        ended = update(_blocks).where(open_one, _blocks.c.until_at.is_(None))
        connection.execute(ended.values(until_at=money.unblocked))


def blocked(connection: Connection, contract_id: str) -> list[tuple[datetime, datetime | None]]:
    """From when to when the service was suspended, the first time first."""
    found = select(_blocks.c.from_at, _blocks.c.until_at).where(_blocks.c.contract_id == contract_id)
    return [(row.from_at, row.until_at) for row in connection.execute(found.order_by(_blocks.c.from_at))]


def paid_on(connection: Connection, contract_id: str, period: str) -> date | None:
    """When a statement was paid off."""
    mine = (_rows.c.contract_id == contract_id) & (_rows.c.period == period)
    return connection.execute(select(_rows.c.paid_on).where(mine)).scalar_one_or_none()

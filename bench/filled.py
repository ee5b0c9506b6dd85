"""A database filled with lines, all members of the club: written in the order of their IDs, as real contracts are."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Engine, TextClause, bindparam, text

from rules import policy
from rules.calendar import JST
from rules.facts import Contract
from store.maintenance import look_over
from store.types import Instant, Json

BEGAN = datetime(2020, 1, 10, 12, tzinfo=JST)
# One was applied for each minute: 12 digits of milliseconds, 20 that nobody could have guessed.
_PG = (
    "with n as (select i, 'k-' || lpad(to_hex(:epoch + i * cast(60000 as bigint)), 12, '0') || left(md5(i::text), 20) as id"
    " from generate_series(1, :size) i) "
)
_SQLITE = (
    "with recursive i(i) as (select 1 union all select i + 1 from i where i < :size),"
    " n as (select i, 'k-' || printf('%012x', :epoch + i * 60000)"
    " || printf('%08x%012x', i * 2654435761 % 4294967296, i) as id from i) "
)
FILLS = (
    "insert into party (party_id, kind, name, kana, email, phone, postal_code, address, language, braille, bill_mail)"
    " {n} select 'y-' || id, 'individual', '山田 花子', 'ヤマダ ハナコ', 'hanako@example.jp', '0312345678', '1000001',"
    " '東京都千代田区千代田1-1', 'ja', {false}, {false} from n",
    "insert into contract (contract_id, account_id, party_id, product, state, line_type, two_year_discount,"
    " payment_method, payment_id, applied_at, in_force_from, started_at, number, snapshot, billing_number)"
    " {n} select id, 'a-' || id, 'y-' || id, 'line', 'active', 'next', {true}, 'account_transfer', 'pay-' || id,"
    " :began, :day, :began, 3, :snapshot, '1' || i from n",
    "insert into fee (contract_id, part, first_day, item, amount) {n} select id, 'base', :day, 'next', 5200 from n",
    "insert into paying (contract_id, from_at, method, payment_id)"
    " {n} select id, :began, 'account_transfer', 'pay-' || id from n",
    "insert into member (contract_id, email, joined_at, counted_from)"
    " {n} select id, 'hanako@example.jp', :began, :began from n",
)


def fill(engine: Engine, size: int) -> None:
    """So many lines in force since 2020, with their fee, their way of payment, and their membership."""
    postgresql = engine.dialect.name == "postgresql"
    words = {"n": "", "true": "true" if postgresql else "1", "false": "false" if postgresql else "0"}
    epoch = int(BEGAN.timestamp() * 1000) - size * 60000
    given: dict[str, Any] = {
        "size": size,
        "epoch": epoch,
        "began": BEGAN,
        "day": BEGAN.date(),
        "snapshot": _snapshot(),
    }
    with engine.begin() as connection:
        for fill in FILLS:
            into, _, found = fill.format(**words).partition("  select ")
            statement = f"{into} {_PG if postgresql else _SQLITE} select {found}"
            names = {name for name in given if f":{name}" in statement}
            connection.execute(typed(statement), {name: given[name] for name in names})
    look_over(engine)


def plainly(engine: Engine, statement: str) -> None:
    """Outside any transaction."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        return
    raw = engine.raw_connection()
    raw.cursor().execute(statement).fetchall()
    raw.close()


def typed(statement: str) -> TextClause:
    """With the types of this service for whatever it names."""
    types: dict[str, Any] = {"began": Instant(), "at": Instant(), "snapshot": Json}
    types |= dict.fromkeys(("on", "lapses", "day"), Date())
    types |= dict.fromkeys(("first", "second", "third", "fourth"), Instant())
    named = [bindparam(name, type_=kind) for name, kind in types.items() if f":{name}" in statement]
    return text(statement).bindparams(*named)


def _snapshot() -> dict[str, Any]:
    """As long as a real one; nobody reads it here."""
    line = Contract(
        contract_id="k-00000000000000000000000000000000",
        product="line",
        state="active",
        policy=policy.current_digest(),
        applied_at=BEGAN,
        line_type="next",
        two_year_discount=True,
        payment_method="account_transfer",
        payment_id="pay-00000000000000000000000000000000",
        in_force_from=date(2020, 1, 10),
        started_at=BEGAN,
        number=3,
    )
    return line.model_dump(mode="json", exclude_defaults=True)

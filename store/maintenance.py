"""What is deleted leaves the database's files, too (COL-7): until then its bytes may stand in pages that nobody reads."""

from __future__ import annotations

from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from store.ledger import MembershipLinkRow
from store.tables import AnswerRow, DeliveryRow, IntakeRow, PartyRow, PassportIdRow, PaymentRow, ProcedureRow
from store.write import table

PERSONAL = (
    PassportIdRow,
    AnswerRow,
    IntakeRow,
    ProcedureRow,
    PartyRow,
    PaymentRow,
    DeliveryRow,
    MembershipLinkRow,
)


class Busy(RuntimeError):
    """Somebody reads all the time; what was deleted is not overwritten everywhere yet."""


def maintain(engine: Engine) -> None:
    """Rewrite what held personal data. Raises Busy. Others go on meanwhile, but wait while a table is rewritten."""
    (_sqlite if engine.dialect.name == "sqlite" else _postgresql)(engine)


def look_over(engine: Engine) -> None:
    """After many rows came in at once: what the database goes by when it plans.

    Left alone, PostgreSQL would look in the midst of the next run over all contracts, when it has enough to do.
    """
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.execute(text("analyze"))
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"vacuum (analyze) {', '.join(SQLModel.metadata.tables)}"))


def _sqlite(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("vacuum")
        (busy, *_) = connection.cursor().execute("pragma wal_checkpoint(truncate)").fetchone()
    finally:
        connection.close()
    if busy:
        raise Busy("The write-ahead log is being read; try again in a while.")


def _postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for row in PERSONAL:
            connection.execute(text(f"vacuum (full, analyze) {table(row).name}"))
        connection.execute(text("checkpoint"))

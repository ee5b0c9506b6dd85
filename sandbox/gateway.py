"""The payment gateway: does each thing once a key, and declines or dawdles to order."""

import asyncio
import json
import sqlite3
import time
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from outside.notice import JST

GatewayFault = Literal["up", "down", "decline", "slow"]

OK, DECLINED, SLOW, FLAKY = "tok_ok", "tok_declined", "tok_slow", "tok_flaky"
FLAKY_FAILURES = 2


class Answer(NamedTuple):
    """An HTTP status and a body."""

    status: int
    body: dict[str, Any]


class SandboxGateway:
    """`down`: 503 for all; `decline`: no new card and no new charge is taken; `slow`: every new one takes its time.

    Answers given stay given.
    """

    def __init__(self, shelf: sqlite3.Connection, slow_seconds: float) -> None:
        self._shelf = shelf
        self._slow_seconds = slow_seconds
        self.fault: GatewayFault = "up"

    async def register(self, key: str, token: str) -> Answer:
        """Takes a card; tok_ok, tok_slow and tok_flaky are good ones."""
        return await self._answer("cards", key, {"card_token": token}, token)

    async def charge(self, key: str, reference: str, amount: int) -> Answer:
        """Charges a card that was taken before; it behaves as its token did, but a slow one is slow to be taken only."""
        return await self._answer(
            "charges", key, {"reference": reference, "amount": amount}, self._token(reference)
        )

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """What was really done: every card taken, every charge made."""
        done = self._shelf.execute("SELECT * FROM call WHERE status = 201 ORDER BY number").fetchall()
        return {path: [_entry(row) for row in done if row["path"] == path] for path in ("cards", "charges")}

    async def _answer(self, path: str, key: str, body: dict[str, Any], token: str) -> Answer:
        if self.fault == "down":
            return Answer(503, {"code": "down"})
        call = self._call(path, key, json.dumps(body), token)
        if (call["path"], call["body"]) != (path, json.dumps(body)):
            return Answer(422, {"code": "key_reused"})
        if call["status"] is None:
            call = self._work(call)
        if call["status"] is None:
            return Answer(503, {"code": "flaky"})
        await asyncio.sleep(max(0.0, call["ready_at"] - time.time()))
        return Answer(call["status"], json.loads(call["answer"]))

    def _call(self, path: str, key: str, body: str, token: str) -> sqlite3.Row:
        self._shelf.execute(
            "INSERT OR IGNORE INTO call (key, path, body, token, failures, at) VALUES (?, ?, ?, ?, 0, ?)",
            (key, path, body, token, datetime.now(JST).isoformat()),
        )
        return self._row(key)

    def _work(self, call: sqlite3.Row) -> sqlite3.Row:
        key = call["key"]
        if call["token"] == FLAKY and call["failures"] < FLAKY_FAILURES:
            self._shelf.execute("UPDATE call SET failures = failures + 1 WHERE key = ?", (key,))
            return self._row(key)
        answer = self._decide(call["path"], key, call["token"])
        # what is done is done at once; only the answer takes its time, and a repeat waits for the same moment
        slow = self.fault == "slow" or (call["path"], call["token"]) == ("cards", SLOW)
        ready_at = time.time() + (self._slow_seconds if slow else 0)
        self._shelf.execute(
            "UPDATE call SET status = ?, answer = ?, ready_at = ? WHERE key = ?",
            (answer.status, json.dumps(answer.body), ready_at, key),
        )
        return self._row(key)

    def _decide(self, path: str, key: str, token: str) -> Answer:
        if token == DECLINED or self.fault == "decline":
            return Answer(402, {"code": "card_declined"})
        if token not in (OK, SLOW, FLAKY):
            return Answer(402, {"code": "unknown_card"})
        name = sha256(key.encode()).hexdigest()[:20]
        if path == "charges":
            return Answer(201, {"charge_id": f"ch_{name}"})
        return Answer(201, {"reference": f"card_{name}", "brand": "visa", "last4": "4242"})

    def _token(self, reference: str) -> str:
        row = self._shelf.execute(
            "SELECT token FROM call WHERE path = 'cards' AND status = 201"
            " AND json_extract(answer, '$.reference') = ?",
            (reference,),
        ).fetchone()
        return str(row["token"]) if row else ""

    def _row(self, key: str) -> sqlite3.Row:
        row: sqlite3.Row = self._shelf.execute("SELECT * FROM call WHERE key = ?", (key,)).fetchone()
        return row


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    return {"key": row["key"], "at": row["at"], **json.loads(row["body"]), **json.loads(row["answer"])}

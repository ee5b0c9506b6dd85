"""Writing a transition to the store."""

from __future__ import annotations

import contextlib
import threading

import structlog
from sqlalchemy import Engine
from temporalio import activity

from rules.change import Change, Recorded
from store import changes as store_changes

log = structlog.get_logger()


class Recorder:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite takes one writer at a time and has the others ask again and again; here they wait in turn.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else contextlib.nullcontext()

    @activity.defn(name="record")
    def record(self, changes: list[Change]) -> Recorded:
        """One transaction; what was written before is left as it is, and what the store knows better is handed back."""
        try:
            with self._turn, self._engine.begin() as connection:
                store_changes.record(connection, changes)
        except store_changes.Ahead as ahead:
            return Recorded(stored=ahead.stored)
        for change in changes:
            _tell(change)
        return Recorded()


def _tell(change: Change) -> None:
    contract_id, number = change.contract.contract_id, change.contract.number
    for entry in change.entries:
        log.info(
            "recorded",
            contract_id=contract_id,
            procedure_id=entry.procedure_id,
            number=number,
            what=entry.what,
        )

"""Writing a transition to the store."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine
from temporalio import activity

from rules.change import Change, Recorded
from rules.facts import Contract
from store import changes as store_changes

log = structlog.get_logger()


class _TooLate(Exception):
    """Whoever sent the command has been told by now that nothing happened."""


class Recorder:
    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        """`now`: business time by the engine's clock, to be asked from any thread."""
        self._engine, self._now = engine, now
        # SQLite takes one writer at a time and has the others ask again and again; here they wait in turn.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else contextlib.nullcontext()

    @activity.defn(name="record")
    def record(self, changes: list[Change]) -> Recorded:
        """One transaction; what was written before is left as it is, and what the store knows better is handed back."""
        try:
            with self._turn, self._engine.begin() as connection:
                new = store_changes.record(connection, changes)
                # As late as can be: all that goes before may have waited for others, or stood still with its machine.
                if self._too_late(new):
                    raise _TooLate
        except store_changes.Ahead as ahead:
            return Recorded(stored=ahead.stored)
        except _TooLate:
            return Recorded(stored=self._stored(changes[-1]), late=True)
        for change in changes:
            _tell(change)
        return Recorded()

    def _too_late(self, new: list[Change]) -> bool:
        ends = [change.not_after for change in new if change.not_after]
        return bool(ends) and self._now() > min(ends)

    def _stored(self, change: Change) -> Contract:
        with self._engine.begin() as connection:
            return store_changes.as_stored(connection, change.contract)


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

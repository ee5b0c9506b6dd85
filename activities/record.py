"""Writing a transition to the store."""

from __future__ import annotations

import structlog
from sqlalchemy import Engine
from temporalio import activity
from temporalio.exceptions import ApplicationError

from rules.change import Change
from store import changes as store_changes

log = structlog.get_logger()


class Recorder:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="record")
    def record(self, changes: list[Change]) -> None:
        """One transaction; a transition written before is left as it is. Raises Stale, which retrying cannot mend."""
        try:
            with self._engine.begin() as connection:
                store_changes.record(connection, changes)
            for change in changes:
                _tell(change)
        except store_changes.Stale as stale:
            raise ApplicationError(str(stale), type="Stale", non_retryable=True) from None


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

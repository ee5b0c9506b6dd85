"""The timeline of a contract: what no machine decides is noted here; a transition brings its own lines along."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from store.tables import EntryRow
from store.write import insert


def note(
    connection: Connection, contract_id: str, what: str, now: datetime, by: str = "customer", **data: Any
) -> None:
    """Somebody did something. `data` never says what is personal."""
    entry = {"contract_id": contract_id, "at": now, "recorded_at": now, "what": what, "by": by}
    insert(connection, EntryRow, [entry | {"data": data}])

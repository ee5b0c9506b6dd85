"""`python -m tests.chaos.dying_worker FILE`: a worker that, once FILE is there, kills at the worst moment.

That is when a transition is in the store and the engine has not heard of it yet. FILE says whom: a process, or 0 for itself.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

import cli

ORDER = Path(sys.argv[1])
_wrote: set[int] = set()


@event.listens_for(Engine, "after_cursor_execute")
def _remember(connection: Connection, _: Any, statement: str, *more: Any) -> None:
    if statement.startswith("INSERT INTO transition"):
        _wrote.add(id(connection.connection.dbapi_connection))


@event.listens_for(Pool, "checkin", named=True)
def _kill(dbapi_connection: Any, **_: Any) -> None:
    if id(dbapi_connection) in _wrote:
        _wrote.discard(id(dbapi_connection))
        if ORDER.exists():
            whom = int(ORDER.read_text()) or os.getpid()
            ORDER.unlink()
            os.kill(whom, signal.SIGKILL)


sys.argv = ["keiyaku", "worker"]
cli.main()

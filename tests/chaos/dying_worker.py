"""`python -m tests.chaos.dying_worker FILE`: a worker that, once FILE is there, kills at the worst moment.

That is when a transition of a contract is in the store and the engine has not heard of it yet. FILE says of which contract,
and whom: a process, or 0 for itself. What other contracts write meanwhile, or this one once more, kills nobody.
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
def _remember(connection: Connection, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
    new = statement.startswith("INSERT INTO transition") and cursor.rowcount > 0
    if new and ORDER.exists() and ORDER.read_text().split()[0] in str(parameters):
        _wrote.add(id(connection.connection.dbapi_connection))


@event.listens_for(Engine, "rollback")
def _forget(connection: Connection) -> None:
    _wrote.discard(id(connection.connection.dbapi_connection))


@event.listens_for(Pool, "checkin", named=True)
def _kill(dbapi_connection: Any, **_: Any) -> None:
    if id(dbapi_connection) in _wrote:
        _wrote.discard(id(dbapi_connection))
        whom = int(ORDER.read_text().split()[1]) or os.getpid()
        ORDER.unlink()
        os.kill(whom, signal.SIGKILL)


sys.argv = ["keiyaku", "worker"]
cli.main()

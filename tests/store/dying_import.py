"""`python -m tests.store.dying_import FILE …`: `keiyaku import FILE …` in small chunks, which dies halfway.

That is when two chunks are in the store, and the third has been written but not been kept yet.
"""

import os
import signal
import sys
from typing import Any

import cli
from store import importing

CHUNK, KEPT = 100, 2

_write = importing.write
_writes = iter(range(KEPT))


def _dies(*given: Any) -> Any:
    known = _write(*given)
    if next(_writes, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return known


if __name__ == "__main__":
    importing.AT_ONCE = CHUNK
    importing.write = _dies  # type: ignore[assignment]
    sys.argv = ["keiyaku", "import", *sys.argv[1:]]
    cli.main()

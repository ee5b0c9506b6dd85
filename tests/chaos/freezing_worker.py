"""`python -m tests.chaos.freezing_worker FILE`: a worker that, once FILE is there, stands still at the worst moment.

That is when it has accepted a command and has written nothing of it yet. Whoever sends it SIGCONT has it go on.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import cli
from activities.record import Recorder

ORDER = Path(sys.argv[1])


class Standstill:
    """Instead of the turn that writers wait for."""

    def __enter__(self) -> None:
        if ORDER.exists():
            ORDER.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(1)  # it takes all threads a moment to stand still, and this one must not write in it

    def __exit__(self, *fault: object) -> None:
        pass


begin = Recorder.__init__


def freezing(recorder: Recorder, *given: Any) -> None:
    begin(recorder, *given)
    recorder._turn = Standstill()  # type: ignore[assignment]


Recorder.__init__ = freezing  # type: ignore[assignment,method-assign]
sys.argv = ["keiyaku", "worker"]
cli.main()

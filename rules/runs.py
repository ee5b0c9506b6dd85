"""What the parts of a run over all contracts tell each other. No personal data: jobs, periods, contract IDs, counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

CATCH_UP = timedelta(days=365)
"""However long everything was down, each run that fell due meanwhile is still done."""

FIRST_GAP, LONGEST_GAP = timedelta(minutes=1), timedelta(hours=4)
"""Between two tries of a mail that its mailbox has put off."""

END = "zzzz"
"""Comes after every contract ID, by bytes and by any language's alphabet: how a database sorts is its owner's choice."""


def delivery_prefix(job: str, period: str) -> str:
    """How the IDs of all mails and letters of a run begin."""
    return f"r-{job}-{period}-"


def next_try(since: datetime, now: datetime, days: int) -> datetime | None:
    """When to try again, at `now`, what its mailbox has put off since then: ever less often. None: it was long enough."""
    lasted, whole = now - since, timedelta(days=days)
    if lasted >= whole:
        return None
    return min(now + min(max(lasted, FIRST_GAP), LONGEST_GAP), since + whole)


class Run(BaseModel):
    """A job for a period that is over; `period` "" where a schedule started it, which says when."""

    job: str
    period: str = ""


def put_off_id(run: Run) -> str:
    """The workflow of those mails of the run that mailboxes have put off."""
    return f"put-off-{run.job}-{run.period}"


class Range(BaseModel):
    """Contracts whose IDs come after `after` and not after `until`."""

    after: str = ""
    until: str = END


class Plan(BaseModel):
    """How many contracts the period concerns, and in which ranges they are dealt with at the same time."""

    expected: int
    ranges: list[Range]


class Reached(BaseModel):
    """How far a stretch of work came: everything up to `last`, or all of it where that is None.

    `done`: how many the whole run had dealt with by then, those before this stretch and beside it included.
    """

    last: str | None = None
    done: int = 0


class Later(BaseModel):
    """When the next try of what mailboxes have put off is due; None where nothing is put off any more."""

    until: datetime | None = None


class Proof(BaseModel):
    """What a run came to. `left` names contracts that it did not deal with; `done`: how many it did."""

    left: list[str] = []
    result: dict[str, Any] = {}
    done: int = 0


class Waiting(BaseModel):
    """Why a run cannot begin yet, "" where it can; until when, where the calendar says so; contracts it waits for."""

    why: str = ""
    until: datetime | None = None
    late: int = 0


class Held(BaseModel):
    """A run that is due and was not begun, and why."""

    period: str
    reason: str


OVERDUE = "deadlines of contracts are overdue"


def not_done(run: Run) -> str:
    """Why another run waits."""
    return f"{run.job} of {run.period} is not done"


class Pace(BaseModel):
    """How fast a run is: `rate` in contracts a second, `estimate` the seconds until none is left; None where unknown."""

    done: int
    left: int
    rate: float | None = None
    estimate: float | None = None


def pace(expected: int, done: int, seconds: float) -> Pace:
    """Of a run that has worked for so many seconds.

    What a dead worker had begun is done again and counted again, and contracts are brought in meanwhile: the proof
    counts anew, until then no more are told than are expected.
    """
    done = min(done, expected)
    left, rate = expected - done, done / seconds if seconds > 0 else None
    return Pace(done=done, left=left, rate=rate, estimate=left / rate if rate else None)


class Progress(BaseModel):
    """How far a run came, as the store knows it."""

    state: str
    period: str
    due_at: datetime
    started_at: datetime
    finished_at: datetime | None
    expected: int
    done: int
    result: dict[str, Any] | None

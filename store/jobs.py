"""What each run over all contracts does in the database: a few set-based statements a chunk, harmless when repeated."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from rules import jobs, policy
from rules.figures import Policy
from rules.runs import Run
from store import points_grant, points_lapse, points_notices, runs, settlement, statements
from store.sql import many_at_once


class Job(Protocol):
    """One kind of run. Everything is judged as of the period's end or the run's due instant, however late it is now."""

    def expected(self, connection: Connection, period: str, policy: Policy) -> int:
        """How many contracts the period concerns."""

    def chunk(self, connection: Connection, period: str, after: str, until: str, policy: Policy) -> int:
        """Deal with the contracts whose IDs come after `after` and not after `until`.

        How many of those that the period concerns are dealt with now, be it that they were before.
        """

    def left(self, connection: Connection, period: str, policy: Policy, limit: int) -> list[str]:
        """Contracts that the period concerns and that were not dealt with."""


JOBS: dict[str, Job] = {
    statements.JOB: statements,
    settlement.JOB: settlement,
    points_grant.JOB: points_grant,
    points_lapse.JOB: points_lapse,
    points_notices.MAIL.job: points_notices.MAIL,
    points_notices.WARNING.job: points_notices.WARNING,
}


def expected(connection: Connection, run: Run) -> int:
    """How many contracts the run concerns."""
    with many_at_once(connection):
        return JOBS[run.job].expected(connection, run.period, policy.current())


def left(connection: Connection, run: Run, limit: int) -> list[str]:
    """Contracts that the run concerns and that were not dealt with."""
    with many_at_once(connection):
        return JOBS[run.job].left(connection, run.period, policy.current(), limit)


def groundwork(connection: Connection, run: Run) -> str | None:
    """A job that must be done for the same period first; None where nothing of any is left to do."""
    before = (Run(job=job, period=run.period) for job in jobs.AFTER.get(run.job, ()))
    return next((one.job for one in before if _is_to_come(connection, one)), None)


def _is_to_come(connection: Connection, run: Run) -> bool:
    """One that is under way is, whatever is left of it: so nobody looks through all contracts again and again.

    One that waits for an operator did what it could: whom it parked holds up nobody else.
    """
    known = runs.of(connection, run.job, run.period)
    if known is not None and known.state != "done":
        return known.state == "running"
    return bool(left(connection, run, 1))


def done_too_early(connection: Connection, run: Run) -> Run | None:
    """The settlement that was done before this month end made statements for whoever it had parked, or was brought in
    since; else None."""
    settled = Run(job=settlement.JOB, period=run.period)
    if run.job not in jobs.AFTER[settled.job]:
        return None
    known = runs.of(connection, settled.job, settled.period)
    return settled if known and known.state == "done" and left(connection, settled, 1) else None

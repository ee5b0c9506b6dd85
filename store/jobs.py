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
        """Deal with the contracts whose IDs come after `after` and not after `until`; how many were dealt with."""

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
    """The job that must be done for the same period first; None where nothing of it is left to do.

    One that is under way is not done, whatever is left of it: so nobody looks through all contracts again and again.
    """
    before = jobs.AFTER.get(run.job)
    if before is None:
        return None
    known = runs.of(connection, before, run.period)
    under_way = known is not None and known.state != "done"
    return before if under_way or left(connection, Run(job=before, period=run.period), 1) else None


def done_too_early(connection: Connection, run: Run) -> Run | None:
    """The settlement that was done before this month end made statements for whoever was brought in since; else None."""
    settled = Run(job=settlement.JOB, period=run.period)
    if run.job != jobs.AFTER[settled.job]:
        return None
    known = runs.of(connection, settled.job, settled.period)
    return settled if known and known.state == "done" and left(connection, settled, 1) else None

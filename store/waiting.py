"""Runs over all contracts that are due and cannot begin yet, as far as it costs little to find out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from rules import jobs
from rules.figures import Policy
from rules.runs import OVERDUE, Held, Run, not_done
from store import runs


def held(connection: Connection, now: datetime, policy: Policy) -> dict[str, Held]:
    """Of each job the run that was due last, where it was not begun and something is in its way."""
    ever = runs.latest(connection)
    due = [jobs.last_due(job, now) for job in policy.jobs]
    new = [one for one in due if runs.of(connection, one.job, one.period) is None]
    found = {one.job: _why(connection, one, policy, one.job in ever) for one in new}
    return {one.job: Held(period=one.period, reason=why) for one in new if (why := found[one.job])}


def _why(connection: Connection, due: jobs.Due, policy: Policy, ever: bool) -> str | None:
    """In the order in which `run_ready` asks. `ever`: it was run here for some period, so it is meant to run."""
    if first := runs.before(connection, Run(job=due.job, period=due.period), policy):
        return not_done(first[0])
    for needed in jobs.AFTER.get(due.job, ()):
        known = runs.of(connection, needed, due.period)
        if known.state == "running" if known else ever:
            return not_done(Run(job=needed, period=due.period))
    return OVERDUE if ever and runs.late(connection, due.at, 1) else None

"""Temporal's schedules, made the same as the calendar of the policy: one for each run over all contracts (CAL-1)."""

from __future__ import annotations

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)

from gate import RUN
from rules.figures import Job, Policy
from rules.runs import CATCH_UP, Run


async def apply(client: Client, task_queue: str, policy: Policy) -> list[str]:
    """Create what is missing, change what differs; their IDs. Repeating it changes nothing. Raises RPCError."""
    for job in policy.jobs:
        await _apply(client, job.job, schedule(job, task_queue))
    return [job.job for job in policy.jobs]


async def _apply(client: Client, name: str, wanted: Schedule) -> None:
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:

        def change(present: object) -> ScheduleUpdate:
            # Whoever has paused it meant it: `state` stays as it is.
            wanted.state = present.description.schedule.state  # type: ignore[attr-defined]
            return ScheduleUpdate(wanted)

        await client.get_schedule_handle(name).update(change)


def schedule(job: Job, task_queue: str) -> Schedule:
    """Late runs are all begun, none is left out. Each waits for those before it (`run_ready`), but not for one that waits
    for an operator."""
    calendar = ScheduleCalendarSpec(
        month=[ScheduleRange(month) for month in job.months],
        day_of_month=[ScheduleRange(job.day)],
        hour=[ScheduleRange(job.at.hour)],
        minute=[ScheduleRange(job.at.minute)],
        second=[ScheduleRange(job.at.second)],
        comment=f"{job.job}, in Japan",
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RUN, Run(job=job.job), id=f"run-{job.job}", task_queue=task_queue, static_summary=job.job
        ),
        spec=ScheduleSpec(calendars=[calendar], time_zone_name="Asia/Tokyo"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=CATCH_UP),
    )

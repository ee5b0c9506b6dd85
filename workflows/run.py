"""A run over all contracts. Invariant: it closes only when every contract that its period concerns was dealt with; until
then it names the ones that are left and waits for an operator."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from rules import jobs
from rules.runs import Plan, Proof, Range, Reached, Run, Waiting, pace
from workflows import clock, patches, visible
from workflows.timing import ALIVE_WITHIN

T = TypeVar("T")
SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
STRETCH = timedelta(minutes=10)
RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_interval=timedelta(seconds=30))
LOOK_AGAIN, LOOK_AT_LEAST, LATE_PATIENCE = timedelta(seconds=1), timedelta(minutes=10), timedelta(minutes=10)
ASK_OPERATOR_AGAIN = timedelta(hours=1)


@workflow.defn(name="Run")
class RunWorkflow:
    @workflow.init
    def __init__(self, asked: Run) -> None:
        self.asked, self.again = asked, False
        self.plan, self.done, self.notices = Plan(expected=0, ranges=[]), 0, 0
        self.began: datetime = workflow.now()

    @workflow.run
    async def run(self, asked: Run) -> dict[str, Any]:
        """Wait until it may begin; deal with every contract, chunk by chunk; tell whom it concerns; prove it."""
        self.asked = scheduled(asked)
        await self.until_ready()
        while True:
            self.began = workflow.now()
            self.plan, self.done = await self.quickly("run_begin", Plan, clock.now()), 0
            self.show()
            await asyncio.gather(*(self.deal_with(part) for part in self.plan.ranges))
            if self.plan.expected:
                await self.send_notices()
            proof: Proof = await self.quickly("run_prove", Proof, clock.now(), self.notices)
            if not proof.left:
                self.show(proof)
                return proof.result
            await self.ask_operator(proof)

    @workflow.signal(name="again")
    def try_again(self) -> None:
        """An operator has mended what was in the way."""
        self.again = True

    async def until_ready(self) -> None:
        """What it builds on is done, every deadline before it kept; a contract that cannot keep its own holds up nobody."""
        began = since = workflow.now()
        while (found := await self.quickly("run_ready", Waiting, clock.now())).why:
            workflow.set_current_details(f"**{self.title()}** waits: {found.why}")
            if not found.late:
                since = workflow.now()
            elif is_patient_no_more(began, since, workflow.now()):
                return
            waited = workflow.now() - (since if found.late else began)
            wait = clock.wait(found.until) if found.until else look_again(waited)
            await workflow.sleep(wait, summary=found.why)

    async def deal_with(self, part: Range) -> None:
        """All chunks of a range; then, in a settlement, cards and collections, where others have a say (BIL-3)."""
        await self.all_through("run_chunks", part)
        if self.asked.job == "settlement":
            await self.all_through("run_settle", part, clock.now())

    async def all_through(self, activity: str, part: Range, *more: Any) -> None:
        """A stretch at a time."""
        reached = Reached(last=part.after)
        while reached.last is not None:
            rest = Range(after=reached.last, until=part.until)
            reached = await self.at_length(activity, rest, *more)
            self.done = max(self.done, reached.done)
            self.show()

    async def send_notices(self) -> None:
        reached = Reached(last="")
        while reached.last is not None:
            reached = await self.at_length("run_notices")
            self.notices = reached.done
            self.show()

    async def ask_operator(self, proof: Proof) -> None:
        """It stays open, found in the UI by `WaitsFor = "operator"`, until somebody says `again` or an hour is over."""
        workflow.upsert_search_attributes([visible.WAITS_FOR.value_set(["operator"])])
        self.show(proof)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.again, timeout=ASK_OPERATOR_AGAIN)
        self.again = False
        workflow.upsert_search_attributes([visible.WAITS_FOR.value_unset()])

    async def quickly(self, activity: str, answer: type[Any], *more: Any) -> Any:
        return await workflow.execute_local_activity(
            activity,
            args=[self.asked, *more],
            result_type=answer,
            start_to_close_timeout=STRETCH,
            retry_policy=RETRY,
        )

    async def at_length(self, activity: str, *more: Any) -> Reached:
        return await at_length(activity, Reached, self.title(), self.asked, *more)

    def title(self) -> str:
        return f"{self.asked.job} {self.asked.period}"

    def show(self, proof: Proof | None = None) -> None:
        """Done, left, rate and estimate, for whoever looks at it in the Temporal UI."""
        expected, done = self.plan.expected, self.done
        if proof:
            expected, done = proof.result.get("expected", expected), proof.done
        told = pace(expected, done, (workflow.now() - self.began).total_seconds())
        rate = "–" if told.rate is None else f"{told.rate:,.0f}"
        estimate = f"{told.estimate:.0f} s" if told.estimate else "–"
        table = [
            "| done | left | a second | about | notices |",
            "| --- | --- | --- | --- | --- |",
            f"| {told.done:,} | {told.left:,} | {rate} | {estimate} | {self.notices:,} |",
        ]
        named = ["", f"Not dealt with: {', '.join(proof.left)}"] if proof and proof.left else []
        workflow.set_current_details("\n".join([f"**{self.title()}**", "", *table, *named]))


async def at_length(activity: str, answer: type[T], summary: str, *given: Any) -> T:
    """An activity that works for minutes, and says all the while that it lives."""
    told: T = await workflow.execute_activity(
        activity,
        args=given,
        result_type=answer,
        summary=summary,
        start_to_close_timeout=STRETCH,
        heartbeat_timeout=ALIVE_WITHIN,
        retry_policy=RETRY,
    )
    return told


def look_again(waited: timedelta) -> timedelta:
    """Soon at first, then ever less often: each look stands in the history, and the server ends a run whose history is
    too long. An operator may take weeks to mend what a run builds on."""
    return min(max(waited / 10, LOOK_AGAIN), LOOK_AT_LEAST)


def is_patient_no_more(began: datetime, since: datetime, now: datetime) -> bool:
    """Whether deadlines of contracts, which are all that it has waited for since then, have had their time."""
    if now - since > LATE_PATIENCE:
        return True
    return now - began > LATE_PATIENCE and not patches.goes(patches.PATIENT_WITH_DEADLINES_ALONE)


def scheduled(asked: Run) -> Run:
    """A schedule says when; the period is the one that is over then."""
    if asked.period:
        return asked
    at = workflow.info().typed_search_attributes.get(SCHEDULED_FOR) or workflow.now()
    return Run(job=asked.job, period=jobs.period_at(asked.job, at))

"""Mails of a run that their mailboxes refused for now. Invariant: each is tried again, ever less often, until it has
arrived or is given up; the run and those that build on it do not wait for that."""

from __future__ import annotations

from contextlib import suppress

from temporalio import workflow

from rules.runs import Later, Run
from workflows import clock
from workflows.run import at_length


@workflow.defn(name="PutOff")
class PutOffWorkflow:
    @workflow.init
    def __init__(self, asked: Run) -> None:
        self.asked, self.more = asked, False

    @workflow.run
    async def run(self, asked: Run) -> None:
        """From one try to the next, until nothing is put off any more."""
        while (later := await self.try_again()).until or self.more:
            await self.wait_for(later)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(asked)

    @workflow.signal(name="more")
    def hear_of_more(self) -> None:
        """The run was done again, and something else was put off."""
        self.more = True

    async def try_again(self) -> Later:
        """What is due by now."""
        self.more = False
        return await at_length("run_put_off", Later, self.title(), self.asked)

    async def wait_for(self, later: Later) -> None:
        """For the next try, or for more."""
        why = f"mailboxes of {self.title()} that put their mail off"
        if later.until:
            workflow.set_current_details(f"**{self.title()}** tries again at {later.until:%Y-%m-%d %H:%M}.")
        with suppress(TimeoutError):
            await clock.wait_for(lambda: self.more, later.until, why)

    def title(self) -> str:
        return f"{self.asked.job} {self.asked.period}"

"""The contract's workflow. Invariant: requests about one contract are judged one at a time, by the engine's clock, on a
snapshot that lacks nothing; what a request or a deadline changes is in the store before anybody hears of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from rules import beside, collection, decision, policy
from rules.ask import Ask
from rules.change import Act, Advance, Answer, Apply, Bill, Change, Command, Request
from rules.facts import Contract, Delivery
from rules.refusal import Refusal
from workflows import application, calls, clock, kinds, payment_method, visible
from workflows import collection as bills
from workflows.step import Impossible, Step

FIRST_COMMAND_WITHIN = timedelta(seconds=10)
ARRIVED = "arrived"
TOO_LATE = Refusal(rule="", reason="too_late")


@workflow.defn(name="Contract")
class ContractWorkflow:
    @workflow.init
    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.writing = asyncio.Lock()
        # Whoever starts the workflow gives it the search attributes of this snapshot.
        self.shown = visible.shown(contract)
        self.sending: dict[str, asyncio.Task[None]] = {}
        # Updates may be taken before `run` begins: what they send out is theirs to send.
        self.carried_over = list(contract.deliveries)

    @workflow.run
    async def run(self, contract: Contract) -> None:
        """From application to the device back on the shelf: keep each deadline, take each message, until all is over."""
        workflow.set_current_details(visible.details(self.contract))
        for delivery in self.carried_over:
            self.send(delivery)
        await self.first_command()
        while not await self.all_over():
            if await self.until_due():
                return  # whoever has something to say about it starts it again from the store
            await self.write(self.overdue())
            if self.history_is_long():
                await self.go_on_afresh()

    @workflow.update(name="apply")
    async def apply(self, command: Apply) -> Answer:
        """The application that begins the contract."""
        return await self.take(
            command, self._apply, lambda step: application.apply(step, command.support_option).procedure_id
        )

    @workflow.update(name="request")
    async def request(self, command: Request) -> Answer:
        """A customer's request; the validator has found nothing against it."""
        return await self.take(command, self._request, lambda step: self.accept(step, command))

    @workflow.update(name="act")
    async def act(self, command: Act) -> Answer:
        """An operator's answer to a task that waited."""
        return await self.take(command, self._act, lambda step: self.dealt_with(step, command))

    @workflow.signal(name="catch_up")
    def catch_up(self, stored: Contract) -> None:
        """The store is ahead: a command was written down, but the engine lost it before it heard of that."""
        if stored.number > self.contract.number:
            self.adopt(stored)

    @workflow.update(name="advance")
    async def advance(self, command: Advance) -> Answer:
        """Somebody outside took the next step: the other operator (COL-2, COL-3), or who opened a link (PNT-1)."""
        return await self.take(command, self._advance, lambda step: self.advanced(step, command))

    @workflow.update(name="bill")
    async def bill(self, command: Bill) -> Answer:
        """A bill was not paid, or money came in for one (BIL-3)."""
        return await self.take(command, self._bill, lambda step: bills.take(step, command))

    @apply.validator
    def _apply(self, command: Apply) -> None:
        if not self.answered(command):
            self.refuse(TOO_LATE if self.contract.number else None)

    @request.validator
    def _request(self, command: Request) -> None:
        if self.answered(command):
            return
        now = clock.now()
        contract = kinds.as_of(self.contract, now)
        figures = policy.of(command.policy)
        found = decision.decide(contract, command.kind, command.body, now, figures, command.holdings)
        if isinstance(found, list):
            name, kind, body = contract.contract_id, command.kind, command.body
            self.refuse(decision.missing_consent(name, kind, body, found, command.consent))
        else:
            self.refuse(found)

    @act.validator
    def _act(self, command: Act) -> None:
        if self.answered(command):
            return
        present = kinds.as_of(self.contract, clock.now())
        self.refuse(kinds.cannot_act(present, command.task_id, command.action))

    @advance.validator
    def _advance(self, command: Advance) -> None:
        if self.answered(command):
            return
        present = kinds.as_of(self.contract, clock.now())
        self.refuse(kinds.cannot_advance(present, command.procedure_id, command.event))

    @bill.validator
    def _bill(self, command: Bill) -> None:
        if not self.answered(command):
            self.refuse(collection.cannot_take(self.contract, command.number, command.at, clock.now()))

    def answered(self, command: Command) -> bool:
        """Whether it was taken before. If not, and nobody waits for the answer any more, nothing must happen."""
        taken = command.command_id in self.contract.answers
        if not taken and clock.now() > command.not_after:
            self.refuse(TOO_LATE)
        return taken

    def refuse(self, refusal: Refusal | None) -> None:
        """By whom it is asked can tell from the number whether the store knows more."""
        if refusal:
            number = self.contract.number
            raise ApplicationError(refusal.reason, refusal, number, type="Refusal", non_retryable=True)

    async def take(
        self, command: Command, judge: Callable[[Any], None], change: Callable[[Step], str]
    ) -> Answer:
        """One accepted command: what was due before it first, then the change; both written before it is answered."""
        while command.command_id not in self.contract.answers:
            now, changes = clock.now(), self.overdue()
            step = Step(self.contract, now, command.by, key=command.command_id, digest=command.policy)
            procedure_id = change(step)
            self.remember(command.command_id, procedure_id)
            if await self.write([*changes, step.change(now, command.command_id, command.not_after)]):
                return Answer(procedure_id=procedure_id)
            judge(command)
        return Answer(procedure_id=self.contract.answers[command.command_id])

    def accept(self, step: Step, command: Request) -> str:
        if command.kind in kinds.AT_ONCE:
            return kinds.AT_ONCE[command.kind](step)
        ask = Ask(self.contract, command.body, step.at, step.policy, command.holdings)
        effects = decision.effects(command.kind, ask)
        return kinds.ACCEPT[command.kind](step, command.body, effects).procedure_id

    def advanced(self, step: Step, command: Advance) -> str:
        procedure = self.contract.procedure(command.procedure_id)
        assert procedure is not None, "the validator has seen it"
        kinds.ADVANCE[procedure.kind](step, procedure, command.event)
        return procedure.procedure_id

    def dealt_with(self, step: Step, command: Act) -> str:
        task = self.contract.task(command.task_id)
        assert task is not None, "the validator has seen it"
        step.finish_task(task, command.action)
        step.corporate = command.corporate
        kinds.ACT[task.kind](step, self.contract.procedure(task.procedure_id), task, command.action)
        return task.procedure_id

    def remember(self, command_id: str, procedure_id: str) -> None:
        answers = self.contract.answers
        answers[command_id] = procedure_id
        if len(answers) > policy.of(self.contract.policy).workflow.answers_remembered:
            del answers[next(iter(answers))]

    def overdue(self) -> list[Change]:
        """Every deadline that has passed, kept in the order of the dates."""
        changes = []
        while step := kinds.keep_next_deadline(self.contract, clock.now()):
            changes.append(step.change(clock.now(), None))
        return changes

    async def write(self, changes: list[Change]) -> bool:
        """Into the store in the order in which it was decided, then out into the world.

        False where the store knows better: nothing of it is written, and the contract is now as the store says. Refused
        where that is because the command came too late to be written.
        """
        if not changes:
            return True
        contract = self.contract
        self.shown = visible.show(contract, self.shown)
        async with self.writing:
            if self.contract is not contract:
                return False
            recorded = await calls.record(changes)
            if recorded.stored:
                self.adopt(recorded.stored)
                if recorded.late:
                    self.refuse(TOO_LATE)
                return False
        for delivery in (delivery for change in changes for delivery in change.deliveries):
            self.send(delivery)
        return True

    def adopt(self, stored: Contract) -> None:
        """Go on from what the store says: whatever was decided here without knowing of it was never heard of."""
        self.contract = stored
        self.shown = visible.show(stored, self.shown)
        for delivery in stored.deliveries:
            self.send(delivery)

    def send(self, delivery: Delivery) -> None:
        if delivery.delivery_id not in self.sending:
            task = asyncio.create_task(self.deliver(delivery))
            self.sending[delivery.delivery_id] = task
            # Nobody awaits it: where it broke it stays, and the run breaks with it.
            task.add_done_callback(lambda done: done.exception() or self.sending.pop(delivery.delivery_id))

    async def deliver(self, delivery: Delivery) -> None:
        """Try until it has arrived or is refused for good; what came of it is a fact of the contract."""
        outcome = await calls.carry_out(delivery)
        while any(d.delivery_id == delivery.delivery_id for d in self.contract.deliveries):
            others = [d for d in self.contract.deliveries if d.delivery_id != delivery.delivery_id]
            self.contract.deliveries = others
            if outcome == ARRIVED:
                self.shown = visible.show(self.contract, self.shown)
                return
            changes = self.overdue()
            step = Step(self.contract, clock.now(), "outside", key=delivery.delivery_id)
            payment_method.answered(step, delivery, outcome)
            await self.write([*changes, step.change(clock.now(), None)])

    async def first_command(self) -> None:
        """An application that came too late, or never, leaves nothing behind: not even a workflow that waits."""
        if self.never_begun():
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: not self.never_begun(), timeout=FIRST_COMMAND_WITHIN)

    def never_begun(self) -> bool:
        return self.contract.state == "applied" and not self.contract.number

    async def until_due(self) -> bool:
        """Sleep to the next deadline, unless a message changes it; True where all was quiet for so long that it may rest."""
        due, quiet = kinds.due_at(self.contract), self.quiet()

        def woken() -> bool:
            for task in self.sending.values():
                if task.done() and (fault := task.exception()):
                    raise Impossible("what came of a delivery cannot be taken") from fault
            changed = kinds.due_at(self.contract) != due or self.quiet() != quiet
            return self.over() or self.history_is_long() or changed

        until, why = kinds.wakes(self.contract, quiet, clock.now())
        try:
            await clock.wait_for(woken, until, why)
        except TimeoutError:
            return self.quiet()
        return False

    def quiet(self) -> bool:
        """Nothing is under way, not in the contract and not on its way to the store or outside."""
        return beside.is_quiet(self.contract) and not self.sending and self.at_rest()

    def over(self) -> bool:
        """Nothing can happen to the contract any more."""
        return self.never_begun() or beside.nothing_waits(self.contract)

    async def all_over(self) -> bool:
        """The same once all is written: where the store knows better, it may go on."""
        if self.over():
            await workflow.wait_condition(self.at_rest)
        return self.over()

    def history_is_long(self) -> bool:
        """What is on its way outside may take a while to get there first: begun anew, it might arrive twice."""
        limit = policy.of(self.contract.policy).workflow.continue_after_events
        return workflow.info().get_current_history_length() > limit * (2 if self.sending else 1)

    def at_rest(self) -> bool:
        return workflow.all_handlers_finished() and not self.writing.locked()

    async def go_on_afresh(self) -> None:
        """The same contract in a new run; what is on its way outside is sent again there, under the same key."""
        await workflow.wait_condition(self.at_rest)
        if self.history_is_long():  # still: what came to rest may have sent something out
            workflow.continue_as_new(self.contract)

"""A contract that lives by the calendar alone: what its workflow decides, without the engine that carries it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from rules import collection, decision, policy
from rules.ask import Ask
from rules.change import Bill, Change, Charge, Entry, Holdings
from rules.collection import OpenBill
from rules.effects import Effect
from rules.facts import Contract, Delivery
from rules.refusal import Refusal
from tests.rules.cases import at
from workflows import access_key, application, kinds, payment_method
from workflows import collection as bills
from workflows.step import Step


class Life:
    """Takes what happens in the order in which it happens, as workflows.contract does, and keeps every change."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.changes: list[Change] = []
        self.commands = 0
        self.policy = contract.policy
        self.holdings = Holdings()
        self.bills: list[OpenBill] = []

    def wait(self, now: str) -> None:
        """Every deadline that has passed by `now`, recorded at `now`."""
        while step := kinds.keep_next_deadline(self.contract, at(now)):
            self._write(step, at(now))

    def apply(self, now: str, support_option: str | None = None) -> None:
        step = self._step(now, "customer")
        application.apply(step, support_option)
        self._write(step, at(now))

    def ask(self, now: str, kind: str, body: dict[str, Any]) -> list[Effect]:
        """The effects of a request that is accepted; fails where it is refused."""
        found = self.judge(now, kind, body)
        assert not isinstance(found, Refusal), found
        self.wait(now)
        step = self._step(now, "customer")
        effects = decision.effects(kind, Ask(self.contract, body, step.at, step.policy, self.holdings))
        assert effects == found, "the preview and the act say the same"
        kinds.ACCEPT[kind](step, body, effects)
        self._write(step, at(now))
        return effects

    def judge(self, now: str, kind: str, body: dict[str, Any]) -> list[Effect] | Refusal:
        """What the request would meet; changes nothing."""
        contract = kinds.as_of(self.contract, at(now))
        return decision.decide(contract, kind, body, at(now), policy.current(), self.holdings)

    def cannot_act(self, now: str, task_kind: str, action: str) -> Refusal | None:
        """Why an operator cannot deal so with the open task of that kind."""
        present = kinds.as_of(self.contract, at(now))
        task = next(task for task in present.tasks if task.kind == task_kind)
        return kinds.cannot_act(present, task.task_id, action)

    def act(self, now: str, task_kind: str, action: str = "done", corporate: bool = False) -> None:
        """An operator deals with the open task of that kind."""
        assert self.cannot_act(now, task_kind, action) is None
        self.wait(now)
        task = next(task for task in self.contract.tasks if task.kind == task_kind)
        step = self._step(now, "operator")
        step.finish_task(task, action)
        step.corporate = corporate
        kinds.ACT[task.kind](step, self.contract.procedure(task.procedure_id), task, action)
        self._write(step, at(now))

    def advance(self, now: str, procedure_id: str, event: str) -> Refusal | None:
        """What somebody outside does to a procedure, or why it is refused."""
        present = kinds.as_of(self.contract, at(now))
        if no := kinds.cannot_advance(present, procedure_id, event):
            return no
        self.wait(now)
        procedure = self.contract.procedure(procedure_id)
        assert procedure is not None
        step = self._step(now, "operator")
        kinds.ADVANCE[procedure.kind](step, procedure, event)
        self._write(step, at(now))
        return None

    def reissue(self, now: str) -> None:
        """A new access key, on a telephone application."""
        assert self.judge(now, "access_key", {}) == []
        self.wait(now)
        step = self._step(now, "operator")
        access_key.reissue(step)
        self._write(step, at(now))

    def unpaid(self, now: str, period: str, due_on: str, left: int = 5000, at_: str = "") -> None:
        """The settlement left the bill of a month unpaid."""
        self.bills = [b for b in self.bills if b.period != period]
        self.bills.append(OpenBill(period=period, due_on=date.fromisoformat(due_on), left=left))
        self._bill(now, event="unpaid", period=period, at=at(at_ or now))

    def pay(self, now: str, period: str, amount: int, paid: str = "", by_card: bool = False) -> Change:
        """Money came in, for the bill of a month or whatever else is open."""
        self._bill(now, event="payment", period=period, at=at(paid or now), amount=amount, by_card=by_card)
        for credit in self.changes[-1].money.credits if self.changes[-1].money else []:
            for bill in self.bills:
                bill.left -= credit.amount if bill.period == credit.period and credit.kind != "over" else 0
        self.bills = [bill for bill in self.bills if bill.left > 0]
        return self.changes[-1]

    def _bill(self, now: str, **what: Any) -> None:
        number = self.contract.number
        assert collection.cannot_take(self.contract, number, what["at"], at(now)) is None
        self.wait(now)
        step = self._step(now, "operator")
        given = {"command_id": step.key, "not_after": at(now), "policy": self.policy, "by": "operator"}
        bills.take(step, Bill(**given, **what, number=number, bills=self.bills))
        self._write(step, at(now))

    def outside(self, now: str, kind: str, outcome: str) -> None:
        """The outside answered the oldest delivery of that kind."""
        delivery = next(delivery for delivery in self.contract.deliveries if delivery.kind == kind)
        self.contract.deliveries.remove(delivery)
        if outcome == "arrived":
            return
        self.wait(now)
        step = Step(self.contract, at(now), "outside", key=delivery.delivery_id)
        payment_method.answered(step, delivery, outcome)
        self._write(step, at(now))

    def successor(self) -> Life:
        """The contract that the plan change began, as its own workflow starts with it."""
        begun = next(change.successor for change in self.changes if change.successor)
        return Life(begun.contract.model_copy(deep=True))

    @property
    def entries(self) -> list[Entry]:
        return [entry for change in self.changes for entry in change.entries]

    @property
    def charges(self) -> list[Charge]:
        return [charge for change in self.changes for charge in change.charges]

    @property
    def deliveries(self) -> list[Delivery]:
        return [delivery for change in self.changes for delivery in change.deliveries]

    def told(self, since: int = 0) -> list[tuple[str, str]]:
        """The timeline: when, what."""
        return [(f"{entry.at:%Y-%m-%d %H:%M}", entry.what) for entry in self.entries[since:]]

    def owed(self) -> list[tuple[str, str, str, int]]:
        """Every charge: on which day, of which kind, for what, how much."""
        return [(charge.on.isoformat(), charge.kind, charge.item, charge.amount) for charge in self.charges]

    def sent(self) -> list[tuple[str, str]]:
        return [(f"{delivery.at:%Y-%m-%d}", delivery.kind) for delivery in self.deliveries]

    def tasks(self) -> list[str]:
        return [task.kind for task in self.contract.tasks]

    def states(self) -> dict[str, str]:
        """Every pending procedure and its state."""
        return {procedure.kind: procedure.state for procedure in self.contract.procedures}

    def pending(self, kind: str) -> str:
        """The ID of the open procedure of that kind, the latest where there are several."""
        return [p.procedure_id for p in self.contract.procedures if p.kind == kind][-1]

    def due(self) -> str | None:
        """The next instant at which something happens by itself."""
        procedure = kinds.next_due(self.contract)
        return procedure.due_at.strftime("%Y-%m-%d %H:%M") if procedure and procedure.due_at else None

    def _step(self, now: str, by: str) -> Step:
        self.commands += 1
        # So that several contracts may lie in one store; most tests have but the one.
        whose = "" if self.contract.contract_id == "k-1" else f"{self.contract.contract_id[2:]}-"
        return Step(self.contract, at(now), by, key=f"{whose}c{self.commands}", digest=self.policy)

    def _write(self, step: Step, recorded_at: datetime) -> None:
        """Copied as the store would write it now, so that no later step can touch it."""
        self.changes.append(step.change(recorded_at, None).model_copy(deep=True))


def applied(**facts: Any) -> Contract:
    """A rental applied for on 20 March 2026 and not yet begun."""
    given: dict[str, Any] = {
        "contract_id": "k-1",
        "product": "rental",
        "state": "applied",
        "policy": policy.current_digest(),
        "applied_at": at("2026-03-20 10:00:00"),
        "plan": "wifi-50",
        "course": "standard",
        "payment_method": "credit_card",
        "payment_id": "pay-1",
    }
    return Contract(**{**given, **facts})


def in_force(since: str = "2026-04-01 09:00:00", support_option: str | None = None, **facts: Any) -> Life:
    """A rental that was applied for, confirmed and shipped."""
    life = Life(applied(**facts))
    life.apply("2026-03-20 10:00:00", support_option)
    if life.contract.payment_method == "credit_card":
        life.outside("2026-03-20 10:00:01", "register_card", "card_taken")
    life.act("2026-03-21 11:00:00", "confirm_application", "approve")
    life.outside("2026-03-21 11:00:01", "login", "arrived")
    life.act(since, "report_shipped")
    return life


def line_applied(**facts: Any) -> Contract:
    """A Next line applied for on 20 March 2026 and not yet opened."""
    given: dict[str, Any] = {
        "contract_id": "k-1",
        "product": "line",
        "state": "applied",
        "policy": policy.current_digest(),
        "applied_at": at("2026-03-20 10:00:00"),
        "line_type": "next",
        "monthly_cap": 50000,
        "payment_method": "invoice",
        "payment_id": "pay-1",
    }
    return Contract(**{**given, **facts})


def line_in_force(opened: str = "2026-04-01 09:00:00", **facts: Any) -> Life:
    """A line that was applied for, confirmed and opened, its notice of opening sent."""
    life = Life(line_applied(**facts))
    life.apply("2026-03-20 10:00:00")
    life.act("2026-03-21 11:00:00", "confirm_application", "approve")
    life.act(opened, "report_opening")
    life.outside(opened, "opening_notice", "arrived")
    return life

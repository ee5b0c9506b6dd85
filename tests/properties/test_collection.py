"""Any order of bills, payments, cancellations, restrictions and instants: the line is suspended, and ends, when it should.

The book below shares no code with the service: it knows a bill's days, and what was paid.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.properties.bills_book import STEPS, SUSPENDED, TERMINATED, Owed
from tests.rules.cases import at
from tests.workflows.life import Life, line_in_force


class Collecting(RuleBasedStateMachine):
    @initialize()
    def open_line(self) -> None:
        self.life: Life = line_in_force()
        self.now = at("2026-07-25 06:00:00")
        self.month = date(2026, 6, 1)
        self.owed: dict[str, Owed] = {}
        self.ends: datetime | None = None
        self.ended = False
        self.paid = 0

    def go(self, now: datetime) -> None:
        """Time passes, in the book and in the contract."""
        self.now = now
        running = [bill for bill in self.owed.values() if not bill.over]
        ends = [bill.after(TERMINATED) for bill in running] + ([self.ends] if self.ends else [])
        self.ended = self.ended or any(end <= now for end in ends)
        for bill in running:
            bill.over = bill.after(TERMINATED) <= now
        self.life.wait(f"{now:%Y-%m-%d %H:%M:%S}")

    def words(self) -> str:
        return f"{self.now:%Y-%m-%d %H:%M:%S}"

    @rule(left=strategies.integers(1000, 9000))
    def the_settlement_leaves_a_bill_unpaid(self, left: int) -> None:
        """On the 25th after its month, or later where time has gone on."""
        period, following = f"{self.month:%Y-%m}", (self.month + timedelta(days=32)).replace(day=1)
        settled = at(f"{following.replace(day=25)} 06:00:00")
        due_on = (following + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        self.go(max(self.now, settled))
        self.month = following
        self.life.unpaid(self.words(), period, due_on.isoformat(), left, at_=f"{settled:%Y-%m-%d %H:%M:%S}")
        self.owed[period] = Owed(due_on, left)
        self.go(self.now)

    @precondition(lambda self: self.owed)
    @rule(early=strategies.booleans())
    def the_next_step_of_a_bill_comes(self, early: bool) -> None:
        """Or is a second away."""
        instants = {
            bill.after(days)
            for bill in self.owed.values()
            for days in (*STEPS, TERMINATED)
            if bill.after(days) > self.now
        }
        if instants:
            self.go(min(instants) - timedelta(seconds=early))

    @rule(days=strategies.integers(0, 20))
    def days_go_by(self, days: int) -> None:
        self.go(self.now + timedelta(days=days, seconds=1))

    @precondition(lambda self: self.owed)
    @rule(
        data=strategies.data(),
        amount=strategies.one_of(strategies.integers(1, 50), strategies.integers(1, 12000)),
    )
    def money_comes_in(self, data: strategies.DataObject, amount: int) -> None:
        """For its own bill first, then for the oldest that is not paid."""
        meant = data.draw(strategies.sampled_from(sorted(self.owed)))
        change = self.life.pay(self.words(), meant, amount)
        assert change.money and sum(credit.amount for credit in change.money.credits) == amount
        for period in [meant, *sorted(set(self.owed) - {meant})]:
            bill = self.owed[period]
            part = min(amount, bill.left)
            bill.left, amount = bill.left - part, amount - part
            self.paid += part
            bill.over = bill.over or not bill.left
        over = [credit.amount for credit in change.money.credits if credit.kind == "over"]
        assert over == ([amount] if amount else [])

    @precondition(lambda self: len(self.life.changes) > 15 and not self.ended and not self.ends)
    @rule()
    def the_line_is_cancelled(self) -> None:
        self.life.ask(self.words(), "cancellation", {})
        last = self.life.contract.in_force_to
        assert last
        self.ends = at(f"{last + timedelta(days=1)} 00:00:00")

    @precondition(lambda self: not self.ended and "i-1" not in self.life.contract.restricted)
    @rule()
    def an_id_is_restricted(self) -> None:
        before = list(self.life.contract.blocks)
        self.life.ask(self.words(), "restriction", {"passport_id": "i-1"})
        assert self.life.contract.blocks == before

    @invariant()
    def the_contract_stands_as_the_book_says(self) -> None:
        demanded = not self.ended and any(
            not bill.over and bill.after(SUSPENDED) <= self.now for bill in self.owed.values()
        )
        state = "ended" if self.ended else "ending" if self.ends else "suspended" if demanded else "active"
        contract = self.life.contract
        assert (contract.state, contract.blocks) == (state, ["collection"] if demanded else [])

    @invariant()
    def each_open_bill_is_where_its_days_have_brought_it(self) -> None:
        running = {
            p.data["period"]: (p.state, p.data["left"])
            for p in self.life.contract.procedures
            if p.kind == "collection"
        }
        book = {
            period: (bill.state(self.now), bill.left) for period, bill in self.owed.items() if not bill.over
        }
        assert running == book

    @invariant()
    def money_and_blocks_add_up(self) -> None:
        moneys = [change.money for change in self.life.changes if change.money]
        credits = [credit for money in moneys for credit in money.credits if credit.kind != "over"]
        assert sum(credit.amount for credit in credits) == self.paid
        edges = [edge for money in moneys for edge in (money.blocked, money.unblocked) if edge]
        assert len(edges) % 2 == bool(self.life.contract.blocks)
        assert [bool(money.blocked) for money in moneys if money.blocked or money.unblocked] == [
            not number % 2 for number in range(len(edges))
        ]


TestCollecting = pytest.mark.rule("BIL-3")(Collecting.TestCase)
TestCollecting.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

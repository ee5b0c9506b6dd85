"""A line that lives by the calendar, and whose every change is written to the store as a worker writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, select

from rules import policy
from rules.change import Change
from rules.facts import Contract, Task
from rules.points import Wanted
from rules.refusal import Refusal
from store import accounts, bills, lines, passport_ids, people, points, purchases
from store.changes import record
from store.contracts import snapshot
from store.database import in_transaction
from store.ledger import PointRow, StatementRow
from store.points_grant import ledger_row
from store.write import insert, table
from tests.rules.cases import at
from tests.workflows.life import Life, line_applied
from workflows import kinds
from workflows.step import Step

T = TypeVar("T")
PARTY = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
    "language": "ja",
}


def words(now: datetime) -> str:
    return f"{now:%Y-%m-%d %H:%M:%S}"


class Lived(Life):
    """`personal` goes with the next command, as the API would put it down."""

    def __init__(
        self, engine: Engine, number: int, now: datetime, cap: int, discount: bool = False, account: str = ""
    ) -> None:
        name = f"k-{number}"
        facts = {"contract_id": name, "applied_at": now, "monthly_cap": cap, "payment_id": f"pay-{number}"}
        facts["two_year_discount"] = discount
        super().__init__(line_applied(**facts))
        self.engine, self.name, self.numbers = engine, name, list[str]()
        self.account = account or f"a-{number}"
        self.personal: dict[str, Any] = self._applicant(number)
        self.begins(now)

    def _applicant(self, number: int) -> dict[str, Any]:
        payment = {"payment_id": f"pay-{number}", "method": "invoice", "card_token": None}
        return {
            "account": {"account_id": self.account, "kind": "individual", "language": "ja"},
            "account_id": self.account,
            "party": PARTY | {"party_id": f"y-{number}"},
            "payment": payment,
            "customer_id": f"CAF{number:010}",
        }

    def begins(self, now: datetime) -> None:
        self.apply(words(now))
        self.act(words(now), "confirm_application", "approve")
        self.act(words(now), "report_opening")
        self.arrives()

    def arrives(self) -> None:
        """Everything on its way but the question to the gateway."""
        contract = self.contract
        contract.deliveries = [one for one in contract.deliveries if one.kind == "register_card"]

    def knows(self, now: datetime) -> None:
        """What hangs on the line, as the API reads it before it sends a request: what late runs owe is among it."""
        with self.engine.begin() as connection:
            points.catch_up(connection, self.name, now, policy.current())
            self.holdings = lines.holdings(connection, self.name, now)

    def deals_with(self, now: datetime, task: Task, action: str) -> Refusal | None:
        """An operator's answer; or why it is none: the task may not be there any more by the time it comes."""
        if no := kinds.cannot_act(kinds.as_of(self.contract, now), task.task_id, action):
            return no
        self.wait(words(now))
        step = self._step(words(now), "operator")
        step.finish_task(task, action)
        kinds.ACT[task.kind](step, self.contract.procedure(task.procedure_id), task, action)
        self._write(step, now)
        return None

    def adds(self, passport_id: str, name: str, cap: int | None, now: datetime) -> Refusal | None:
        row = {"passport_id": passport_id, "contract_id": self.name, "name": name, "monthly_cap": cap}
        row |= {"password_hash": "-", "line_authentication": True}
        with self.engine.begin() as connection:
            return passport_ids.add(connection, row, now, policy.current())

    def changes_id(self, passport_id: str, values: dict[str, Any], now: datetime) -> Refusal | None:
        with self.engine.begin() as connection:
            return passport_ids.change(connection, self.name, passport_id, values, now)

    def removes(self, passport_id: str, now: datetime) -> Refusal | None:
        with self.engine.begin() as connection:
            return passport_ids.remove(connection, self.name, passport_id, now)

    def buys(self, passport: Any, values: dict[str, Any], from_line: bool, now: datetime) -> str | None:
        """With an ID as it was read a moment ago; the rule that says no, or `gone`."""
        given = {"provider": "Eiga", "item": "Film 1", **values}
        try:
            with self.engine.begin() as connection:
                no = purchases.take(connection, passport, given, from_line, now)
        except purchases.Gone:
            return "gone"
        return no.rule if no else None

    # The club

    def opens(self, now: str, link: str, login: dict[str, str]) -> Refusal | None:
        """A registration link, with a password chosen for the login."""
        self.personal = {"login": login}
        no = self.advance(now, link, "open_link")
        self.personal = {}
        return no

    def has_a_key_sent(self, now: str) -> None:
        """An authentication key, by post."""
        self.wait(now)
        step = self._step(now, "customer")
        kinds.AT_ONCE["authentication_key"](step)
        self._write(step, at(now))

    def registers_key(self, now: datetime) -> Refusal | None:
        return self._within(lambda connection: points.register_key(connection, self.name, now))

    def exchanges(
        self, exchange_id: str, number: int, into_bill: bool, from_line: bool, now: datetime
    ) -> Refusal | None:
        kind, item = ("bill_payment", None) if into_bill else ("item", "gift-coffee")
        wanted = Wanted(exchange_id, kind, number, item)
        return self._within(lambda c: points.exchange(c, self.name, wanted, from_line, now, policy.current()))

    def brings(self, granted_on: date, lapses_on: date, number: int, now: datetime) -> None:
        """Points of another day, as a line that is brought in has them."""
        row = ledger_row(self.name, granted_on, lapses_on, "grant", "", number, now)
        self._within(lambda connection: insert(connection, PointRow, [row]))

    def lots(self, now: datetime) -> dict[date, tuple[int, date]]:
        """What may be spent, by day of grant, and to which day, once late runs are made up for."""

        def look(connection: Connection) -> dict[date, tuple[int, date]]:
            points.catch_up(connection, self.name, now, policy.current())
            found = points.lots(connection, self.name, now)
            return {lot.granted_on: (lot.left, lot.lapses_on) for lot in found}

        return self._within(look)

    def points_left(self) -> int:
        rows = table(PointRow)
        left = select(func.coalesce(func.sum(rows.c.points), 0)).where(rows.c.contract_id == self.name)
        return self._within(lambda connection: int(connection.execute(left).scalar_one()))

    def login(self) -> tuple[str, str] | None:
        """What its customer signs in with."""
        return self._within(lambda connection: accounts.login(connection, self.account))

    # What is owed

    def owes(self, now: datetime, period: str, due_on: date, yen: int) -> None:
        """The statement of a month is there, and its settlement left it unpaid."""
        row = {"contract_id": self.name, "period": period, "billing_number": f"b-{self.name}-{period}"}
        row |= {"invoice": "none", "payment_method": "invoice", "payment_id": self.contract.payment_id}
        sums = {"standard": 0, "included": yen, "untaxed": 0, "tax": 0, "points_used": 0}
        statement = {**row, **sums, "total_with_tax": yen, "due_on": due_on, "policy": ""}
        self._within(lambda connection: insert(connection, StatementRow, [statement]))
        self._reads_bills()
        self._bill(words(now), event="unpaid", period=period, at=now)

    def pays(self, now: datetime, period: str, yen: int) -> None:
        self._reads_bills()
        self._bill(words(now), event="payment", period=period, at=now, amount=yen)

    def _reads_bills(self) -> None:
        """As the API does before it sends a payment."""
        self.bills = self._within(lambda connection: bills.standing(connection, self.name))[1]

    def standing(self) -> tuple[dict[str, int], list[tuple[datetime, datetime | None]]]:
        """What is left of each month's bill, and from when to when the line was suspended."""

        def look(connection: Connection) -> Any:
            _, left = bills.standing(connection, self.name)
            return {one.period: one.left for one in left}, bills.blocked(connection, self.name)

        return self._within(look)  # type: ignore[no-any-return]

    def _within(self, work: Callable[[Connection], T]) -> T:
        return in_transaction(self.engine, work)

    def stored(self) -> Contract:
        with self.engine.begin() as connection:
            return snapshot(connection, self.name)

    def _step(self, now: str, by: str) -> Step:
        self.commands += 1
        return Step(self.contract, at(now), by, key=f"{self.name}-{self.commands}", digest=self.policy)

    def _write(self, step: Step, recorded_at: datetime) -> None:
        command = step.key if step.by in ("customer", "operator") else None
        change = step.change(recorded_at, command).model_copy(deep=True)
        if command and self.personal:
            with self.engine.begin() as connection:
                people.take_in(connection, command, self.personal)
            self.personal = {}
        self._record([change])
        if change.contract.number % 5 == 0:
            self._record([change])  # a worker that died after it had written

    def _record(self, changes: list[Change]) -> None:
        with self.engine.begin() as connection:
            record(connection, changes)

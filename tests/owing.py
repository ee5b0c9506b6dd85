"""A contract that owes, over HTTP: its first bill, the days that follow from it, payments and notices."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx

from rules import policy
from rules.calendar import first_of_month, last_of_month
from tests.stack import Rental, Stack

COLLECTION = policy.load().collection
INVOICE = {"method": "invoice"}


class Owing:
    """A contract with one unpaid bill, and the days that follow from it."""

    def __init__(self, stack: Stack, contract: Rental) -> None:
        self.stack, self.contract = stack, contract
        day = stack.now().date()
        self.period = f"{day:%Y-%m}"
        self.due_on = last_of_month(day, 1)

    def day(self, figure: str) -> date:
        return self.due_on + timedelta(days=getattr(COLLECTION, figure))

    def until(self, figure: str, time: str = "00:00:01") -> None:
        self.stack.move(datetime.fromisoformat(f"{self.day(figure)}T{time}+09:00"))

    def closed(self) -> None:
        """The statement is there."""
        self.stack.move(datetime.fromisoformat(f"{first_of_month(self.due_on)}T12:00:00+09:00"))

    def settled(self) -> None:
        """Past the settlement of the month in which the contract began."""
        on = first_of_month(self.due_on).replace(day=25)
        self.stack.move(datetime.fromisoformat(f"{on}T12:00:00+09:00"))

    @property
    def statement(self) -> dict[str, Any]:
        return dict(self.contract.read(f"/statements/{self.period}"))

    def pay(self, amount: int, number: str = "", **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        number = number or self.statement["billing_number"]
        body = {"billing_number": number, "amount": amount, "paid_at": self.stack.now().isoformat()} | more
        path = f"/contracts/{self.contract.contract_id}/payments"
        return self.stack.operate("POST", path, json=body, headers=headers)

    @property
    def collection(self) -> dict[str, Any]:
        """That of the first bill: time goes on, and others follow."""
        found = [one for one in self.contract.items("/procedures") if one["kind"] == "collection"]
        return dict(found[0])

    def notices(self) -> list[str]:
        kinds = {
            "carried_over_invoice",
            "suspension_notice",
            "suspended",
            "termination_notice",
            "terminated",
        }
        sent = self.stack.outbox(contract_id=self.contract.contract_id)
        mine = [notice for notice in sent if notice["fields"].get("period") == self.period]
        return [notice["kind"] for notice in mine if notice["kind"] in kinds]

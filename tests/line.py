"""A line, its passport IDs and what is bought with them, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from api import line
from settings import KEY_FILE, read
from tests.stack import APPLICANT, Customer, Rental, Stack, eventually, keyed

TRANSFER = {"method": "account_transfer"}
ADDRESS = "大阪府大阪市北区梅田1-1"
PASSWORD = "sakura88"


def application(**changes: Any) -> dict[str, Any]:
    """An application for a line; parts of `applicant` may be given alone."""
    applicant = APPLICANT | changes.pop("applicant", {})
    wanted = {"product": "line", "line_type": "next", "two_year_discount": True, "monthly_cap": 10000}
    return wanted | {"applicant": applicant, "payment": TRANSFER} | changes


def sign_in(stack: Stack, customer_id: str, access_key: str) -> httpx.Response:
    body = {"customer_id": customer_id, "access_key": access_key}
    return stack.call("POST", "/v1/sessions", json=body)


class LineCustomer(Customer):
    """Somebody who signs in with customer ID and access key."""

    def sign_in(self) -> httpx.Response:
        return sign_in(self.stack, self.login_id, self.password)


class Line(Rental):
    """A line as its customer sees it; content providers and the other operator deal with it too."""

    @property
    def stack(self) -> Stack:
        return self.customer.stack

    # Passport IDs

    def add(self, name: str | None = None, **more: Any) -> httpx.Response:
        body = {"name": name or new_name(), "password": PASSWORD} | more
        return self.customer.post(f"{self.path}/passport-ids", body)

    def passport_id(self, name: str | None = None, **more: Any) -> dict[str, Any]:
        """A new ID."""
        answer = self.add(name, **more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def change(self, passport_id: str, **body: Any) -> httpx.Response:
        return self.customer.call("PATCH", f"{self.path}/passport-ids/{passport_id}", json=body)

    def delete(self, passport_id: str) -> httpx.Response:
        return self.customer.call("DELETE", f"{self.path}/passport-ids/{passport_id}")

    @property
    def names(self) -> set[str]:
        return {found["name"] for found in self.items("/passport-ids")}

    def restricted(self, passport_id: str) -> bool:
        (found,) = [one for one in self.items("/passport-ids") if one["passport_id"] == passport_id]
        return bool(found["restricted"])

    # Purchases

    def buy(self, passport: dict[str, Any], amount: int, **more: Any) -> httpx.Response:
        """A purchase that comes from this line."""
        headers = {"Line-Assertion": assertion(self.stack, self.contract_id, self.stack.now())}
        return buy(self.stack, passport["name"], amount, headers=headers, **more)

    def item(self, passport: dict[str, Any], amount: int, **more: Any) -> None:
        """A monthly item that is taken."""
        answer = self.buy(passport, amount, kind="monthly", **more)
        assert answer.status_code == 201, answer.text

    # Conversion

    def approval_number(self) -> tuple[str, dict[str, Any]]:
        """A new approval number, from the mail, and its procedure."""
        procedure = self.agree("conversion")
        return self.mailed_number(procedure["procedure_id"]), procedure

    def mailed_number(self, procedure_id: str) -> str:
        return eventually(lambda: self._numbers().get(procedure_id, ""))

    def _numbers(self) -> dict[str, str]:
        """Mails come in the order of the procedures they belong to."""
        asked = [p["procedure_id"] for p in self.items("/procedures") if p["kind"] == "conversion"]
        mails = self.stack.outbox(kind="approval_number", contract_id=self.contract_id)
        return dict(zip(asked, [mail["fields"]["approval_number"] for mail in mails], strict=False))

    def take_up(self, number: str) -> httpx.Response:
        return self.stack.operate("POST", f"/conversions/{number}/take-up")

    def switch_over(self, number: str) -> httpx.Response:
        return self.stack.operate("POST", f"/conversions/{number}/switch-over")

    def convert(self) -> dict[str, Any]:
        """From asking for a number to the line being switched over; the procedure."""
        number, procedure = self.approval_number()
        assert self.take_up(number).status_code == 200
        answer = self.switch_over(number)
        assert answer.status_code == 200, answer.text
        return procedure | {"number": number}

    # What every test says

    def refused(self, answer: httpx.Response, rule: str) -> bool:
        return bool(answer.status_code == 409 and answer.json()["rule"] == rule)


def buy(stack: Stack, name: str, amount: int, **more: Any) -> httpx.Response:
    """What a content provider sends."""
    headers = more.pop("headers", {})
    wanted = {"password": PASSWORD, "provider": "Eiga Channel", "item": "Film", "kind": "one_off"}
    body = wanted | {"name": name, "amount": amount} | more
    return stack.call("POST", "/v1/purchases", stack.provider_token, json=body, headers=headers)


def assertion(stack: Stack, contract_id: str, at: datetime) -> str:
    """What the access network says of a request from that line at that time."""
    secret = (stack.folder / KEY_FILE).read_text().strip()
    return line.assertion(read(secret_key=secret), contract_id, at)


def new_name() -> str:
    """A name for a passport ID that nobody has."""
    return f"hana-{uuid4().hex[:12]}"


def applied(stack: Stack, **changes: Any) -> str:
    answer = stack.call("POST", "/v1/applications", json=application(**changes), headers=keyed())
    assert answer.status_code == 202, answer.text
    return str(answer.json()["contract_id"])


def active_line(stack: Stack, **changes: Any) -> Line:
    """A new customer's line, in force from today; the notice of opening has come by post."""
    contract_id = applied(stack, **changes)
    stack.approve(contract_id)
    stack.do("report_opening", contract_id)
    fields = stack.mailed("opening_notice", contract_id)["fields"]
    return Line(LineCustomer(stack, fields["customer_id"], fields["access_key"]), contract_id)


def on_an_open_day(stack: Stack, day: int | range = range(4, 13)) -> datetime:
    """A day on which approval numbers are issued, early in its month."""
    return stack.at(day=day, time="10:00:00")

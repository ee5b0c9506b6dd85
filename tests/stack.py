"""The whole service with a clock to be moved, and sentences to say to it.

Time only moves forward, for all contracts of a stack at once: a test asks for the next day that fits, and never
relies on what another test left behind.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from sqlalchemy import update

from store.database import connect
from store.ledger import PayingRow
from store.tables import PartyRow
from store.write import table
from tests.documented import Document
from tests.running import PATIENCE, Up, answered, up

T = TypeVar("T")

APPLICANT = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
}
CARD = {"method": "credit_card", "card_token": "tok_ok"}
NP = {"method": "np_invoice"}
APPLICATION: dict[str, Any] = {
    "product": "rental",
    "plan": "wifi-100",
    "course": "standard",
    "applicant": APPLICANT,
    "payment": CARD,
}


def eventually(ask: Callable[[], T], within: float = PATIENCE) -> T:
    """The first answer that says something. What leaves by mail leaves a moment after it was decided."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return answer


def application(**changes: Any) -> dict[str, Any]:
    """An application for a rental; parts of `applicant` may be given alone."""
    applicant = APPLICANT | changes.pop("applicant", {})
    return APPLICATION | {"applicant": applicant} | changes


class Customer:
    """Somebody with a login, who signs in again when the session is over."""

    def __init__(self, stack: Stack, login_id: str, password: str) -> None:
        self.stack, self.login_id, self.password = stack, login_id, password
        self._until: datetime | None = None
        self._token = ""

    @property
    def token(self) -> str:
        if self._until is None or self._until < self.stack.now() + timedelta(minutes=1):
            session = self.sign_in()
            assert session.status_code == 201, session.text
            self._token = session.json()["token"]
            self._until = datetime.fromisoformat(session.json()["expires_at"])
        return self._token

    def sign_in(self) -> httpx.Response:
        return self.stack.sign_in(self.login_id, self.password)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self.stack.call(method, path, self.token, **request)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.call("GET", path, **request)

    def post(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return self.call("POST", path, json={} if body is None else body, **request)


class Rental:
    """A rental contract as its customer sees it."""

    def __init__(self, customer: Customer, contract_id: str) -> None:
        self.customer, self.contract_id = customer, contract_id
        self.path = f"/v1/contracts/{contract_id}"

    def get(self, path: str = "", **request: Any) -> httpx.Response:
        return self.customer.get(self.path + path, **request)

    def read(self, path: str = "") -> Any:
        """What a GET answers."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str) -> list[Any]:
        return list(self.read(path)["items"])

    @property
    def state(self) -> str:
        return str(self.read()["state"])

    def preview(self, kind: str, **body: Any) -> httpx.Response:
        return self.customer.post(f"{self.path}/procedures/{kind}/preview", body)

    def ask(self, kind: str, **body: Any) -> httpx.Response:
        """Ask for it with just this body."""
        return self.customer.post(f"{self.path}/procedures/{kind}", body, headers=keyed())

    def agree(self, kind: str, **body: Any) -> dict[str, Any]:
        """Ask for it with the consent of a preview; the procedure."""
        preview = self.preview(kind, **body)
        assert preview.status_code == 200, preview.text
        answer = self.ask(kind, **body, consent=preview.json()["consent"])
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def procedure(self, procedure_id: str) -> dict[str, Any]:
        answer = self.customer.get(f"/v1/procedures/{procedure_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def other(self, contract_id: str) -> Rental:
        """Another contract of the same customer."""
        return Rental(self.customer, contract_id)


class Stack:
    """One running service."""

    def __init__(self, service: Up, database_url: str) -> None:
        self.service, self.database_url = service, database_url
        self.note = service.note()
        self.folder = service.data.parent
        self.operator_token = (self.folder / "operator.token").read_text().strip()
        self.provider_token = (self.folder / "provider.token").read_text().strip()
        self.http = httpx.Client(base_url=self.note["api"], timeout=60, trust_env=False)
        self.document = Document(self.http.get("/openapi.json").json())
        self.engine = connect(database_url)

    def call(self, method: str, path: str, token: str | None = None, **request: Any) -> httpx.Response:
        """A request, with whose token, until it is answered. Its answer is as documented."""
        return answered(lambda: self.once(method, path, token, **request))

    def once(self, method: str, path: str, token: str | None = None, **request: Any) -> httpx.Response:
        """The same, sent once, whatever comes of it."""
        headers = dict(request.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        answer = self.http.request(method, path, headers=headers, **request)
        self.document.check(answer)
        return answer

    def let_be(self) -> None:
        """Whoever is a customer by now wants no more bills by mail, and pays them: each month to come would take its time."""
        paying = table(PayingRow)
        unpaid = paying.c.method.in_(("invoice", "credit_card"))
        with self.engine.begin() as connection:
            connection.execute(update(table(PartyRow)).values(bill_mail=False))
            connection.execute(update(paying).where(unpaid).values(method="account_transfer"))

    # The clock

    def now(self) -> datetime:
        return datetime.fromisoformat(self.call("GET", "/dev/v1/clock").json()["now"])

    def move(self, to: datetime) -> None:
        """Lets time go on until `to`."""
        answer = self.call("POST", "/dev/v1/clock", json={"to": to.isoformat()})
        assert answer.status_code == 200, answer.text

    def at(self, day: int | range, month: int | None = None, time: str = "10:00:00") -> datetime:
        """Goes to the next such day, at that time in Japan. The clock runs on while a test works: leave it minutes."""
        now = self.now()
        wanted = now
        while not (_fits(wanted.date(), day, month) and _at(wanted, time) > now):
            wanted += timedelta(days=1)
        self.move(_at(wanted, time))
        return _at(wanted, time)

    def pass_days(self, days: float) -> None:
        self.move(self.now() + timedelta(days=days))

    # Operators

    def operate(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = (keyed() if method == "POST" else {}) | request.pop("headers", {})
        return self.call(method, f"/operator/v1{path}", self.operator_token, headers=headers, **request)

    def tasks(self, contract_id: str) -> list[dict[str, Any]]:
        """What waits for an operator about a contract."""
        answer = self.operate("GET", "/tasks", params={"contract_id": contract_id})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def task(self, kind: str, contract_id: str) -> dict[str, Any]:
        (found,) = [task for task in self.tasks(contract_id) if task["kind"] == kind]
        return found

    def do(self, kind: str, contract_id: str, action: str = "done", **more: Any) -> dict[str, Any]:
        """Deals with the open task of that kind."""
        task = self.task(kind, contract_id)
        answer = self.operate("POST", f"/tasks/{task['task_id']}", json={"action": action, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def approve(self, contract_id: str) -> None:
        self.do("confirm_application", contract_id, "approve")

    def ship(self, contract_id: str) -> None:
        self.do("report_shipped", contract_id)

    # Customers

    def apply(self, token: str | None = None, **changes: Any) -> str:
        """An application that is taken; its contract's ID. Paid by NP, if nothing is said: no card is charged every month."""
        body = application(**{"payment": NP} | changes)
        answer = self.call("POST", "/v1/applications", token, json=body, headers=keyed())
        assert answer.status_code == 202, answer.text
        return str(answer.json()["contract_id"])

    def outbox(self, **query: str) -> list[dict[str, Any]]:
        """What left so far."""
        answer = self.call("GET", "/dev/v1/outbox", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def mailed(self, kind: str, contract_id: str) -> dict[str, Any]:
        """The first notice of that kind, once it has left."""
        return eventually(lambda: self.outbox(kind=kind, contract_id=contract_id))[0]

    def sign_in(self, login_id: str, password: str) -> httpx.Response:
        return self.call("POST", "/v1/sessions", json={"login_id": login_id, "password": password})

    def preparing_contract(self, **changes: Any) -> Rental:
        """A new customer's contract, confirmed; the login has come by mail."""
        contract_id = self.apply(**changes)
        self.approve(contract_id)
        fields = self.mailed("login", contract_id)["fields"]
        return Rental(Customer(self, fields["login_id"], fields["password"]), contract_id)

    def active_contract(self, **changes: Any) -> Rental:
        """A new customer's contract, in force from today."""
        rental = self.preparing_contract(**changes)
        self.ship(rental.contract_id)
        return rental


def _fits(candidate: date, day: int | range, month: int | None) -> bool:
    days = range(day, day + 1) if isinstance(day, int) else day
    return candidate.day in days and month in (None, candidate.month)


def _at(day: datetime, time: str) -> datetime:
    return datetime.fromisoformat(f"{day:%Y-%m-%d}T{time}+09:00")


def last_day(of: date) -> date:
    """The last day of the month of `of`."""
    return of.replace(day=calendar.monthrange(of.year, of.month)[1])


def new_key() -> str:
    """An idempotency key that nobody has used."""
    return uuid4().hex


def keyed() -> dict[str, str]:
    """What makes a command one command, however often it has to be sent."""
    return {"Idempotency-Key": new_key()}


@contextmanager
def stack(folder: Path, database_url: str) -> Iterator[Stack]:
    """A service of its own on the test clock; gone again afterwards."""
    given = {"KEIYAKU_DATABASE_URL": database_url} if database_url else {}
    with up(folder, "--test-clock", env=given) as service:
        made = Stack(service, database_url or f"sqlite:///{service.data}/keiyaku.db")
        with closing(made.http):
            yield made
            made.engine.dispose()

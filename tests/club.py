"""The members' club over HTTP: joining, and points as they come with the months."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.line import Line, active_line, assertion
from tests.stack import Stack, eventually

PASSWORD = "sakura-2026"


def ask_to_join(line: Line, email: str = "club@example.jp") -> httpx.Response:
    return line.customer.post(f"{line.path}/membership", {"email": email})


def links(stack: Stack, contract_id: str) -> list[str]:
    """Every registration link that was mailed, oldest first."""
    mails = stack.outbox(kind="membership_link", contract_id=contract_id)
    return [mail["fields"]["link"] for mail in mails]


def link_of(stack: Stack, contract_id: str, number: int = 1) -> str:
    """The path of the n-th link, once it has come."""
    eventually(lambda: len(links(stack, contract_id)) >= number)
    return path_of(stack, links(stack, contract_id)[number - 1])


def path_of(stack: Stack, link: str) -> str:
    base = str(stack.http.base_url).rstrip("/")
    assert link.startswith(base), "a URL of this service"
    return link.removeprefix(base)


def open_link(stack: Stack, path: str, password: str = PASSWORD, **request: Any) -> httpx.Response:
    return stack.call("POST", path, json={"password": password}, **request)


def member(stack: Stack, **changes: Any) -> Line:
    """A line in force whose customer has joined."""
    line = active_line(stack, **changes)
    assert ask_to_join(line).status_code == 202
    answer = open_link(stack, link_of(stack, line.contract_id))
    assert answer.status_code == 200, answer.text
    return line


def points(line: Line) -> dict[str, Any]:
    return dict(line.read("/points"))


def exchange(line: Line, from_line: bool = True, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    if from_line:
        headers["Line-Assertion"] = assertion(line.stack, line.contract_id, line.stack.now())
    return line.customer.post(f"{line.path}/point-exchanges", body, headers=headers)


def for_bill(line: Line, number: int, **more: Any) -> httpx.Response:
    return exchange(line, from_line=False, kind="bill_payment", points=number, **more)

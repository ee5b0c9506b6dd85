"""What a customer and an operator do, over HTTP as anybody would."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from demo.clock import Clock
from embedded.problem import Problem


@dataclass
class Refusal:
    """What the service would not do, and why."""

    at: datetime
    text: str
    rule: str


@dataclass
class Customer:
    """One person or company, their contracts in the order in which they follow each other."""

    title: str
    name: str
    kana: str
    http: httpx.AsyncClient
    operator: dict[str, str]
    clock: Clock
    kind: str = "individual"
    contracts: list[str] = field(default_factory=list)
    promised: dict[str, list[str]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    async def applies(self, plan: str, course: str = "standard", card: str | None = "tok_ok") -> None:
        payment = {"method": "credit_card", "card_token": card} if card else {"method": "np_invoice"}
        applicant = {
            "kind": self.kind,
            "name": self.name,
            "kana": self.kana,
            "email": "customer@example.jp",
            "phone": "0312345678",
            "postal_code": "1000001",
            "address": "東京都千代田区千代田1-1",
        }
        body = {
            "product": "rental",
            "plan": plan,
            "course": course,
            "applicant": applicant,
            "payment": payment,
        }
        answer = _good(await self.http.post("/v1/applications", json=body))
        self.contracts.append(answer["contract_id"])

    async def asks(self, kind: str, **body: Any) -> None:
        """Ask for a procedure on the newest contract, with the consent of a preview where one is needed."""
        headers = await self._signed_in()
        path = f"/v1/contracts/{self.contracts[-1]}/procedures/{kind}"
        if kind in ("plan_change", "cancellation"):
            preview = _good(await self.http.post(f"{path}/preview", json=body, headers=headers))
            body |= {"consent": preview["consent"]}
        answer = _good(await self.http.post(path, json=body, headers=headers))
        self.promised[answer["procedure_id"]] = [effect["text"] for effect in answer["effects"]]
        if answer.get("successor_contract_id"):
            self.contracts.append(answer["successor_contract_id"])

    async def is_refused(self, kind: str, **body: Any) -> None:
        """Ask for something that a rule refuses. The refusal is kept for the telling."""
        headers = await self._signed_in()
        path = f"/v1/contracts/{self.contracts[-1]}/procedures/{kind}/preview"
        answer = await self.http.post(path, json=body, headers=headers)
        no = answer.json()
        if answer.status_code != 409:
            raise Problem(f"{kind} was not refused: {answer.text}")
        self.refusals.append(Refusal(self.clock.now, no["detail"], no["rule"]))

    async def operator_does(self, task: str, action: str = "done", contract: int = -1) -> None:
        """An operator deals with the open task of that kind."""
        query = {"kind": task, "contract_id": self.contracts[contract]}
        found = _good(await self.http.get("/operator/v1/tasks", params=query, headers=self.operator))
        task_id = found["items"][0]["task_id"]
        _good(
            await self.http.post(
                f"/operator/v1/tasks/{task_id}", json={"action": action}, headers=self.operator
            )
        )

    async def _signed_in(self) -> dict[str, str]:
        query = {"kind": "login", "contract_id": self.contracts[0]}
        mails = _good(await self.http.get("/dev/v1/outbox", params=query))["items"]
        fields = mails[-1]["fields"]
        login = {"login_id": fields["login_id"], "password": fields["password"]}
        session = _good(await self.http.post("/v1/sessions", json=login))
        return {"Authorization": f"Bearer {session['token']}"}


def _good(answer: httpx.Response) -> Any:
    if answer.is_error:
        request = answer.request
        raise Problem(f"{request.method} {request.url.path} was answered {answer.status_code}: {answer.text}")
    return answer.json()

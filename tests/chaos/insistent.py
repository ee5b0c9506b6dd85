"""Somebody who asks again, with the same Idempotency-Key, until there is an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.parts import Parts
from tests.stack import application

AGAIN_AFTER = 0.1


class Insistent:
    """`tries` counts every request, `troubles` what came instead of an answer."""

    def __init__(self, service: Parts, within: float = 100) -> None:
        self.service, self.within = service, within
        self.http = httpx.AsyncClient(base_url=service.plan.api, timeout=15, trust_env=False)
        self.operator_token = next(iter(service.settings.operator_names()))
        self.tries = 0
        self.troubles: list[str] = []

    async def ask(self, method: str, path: str, token: str | None = None, **request: Any) -> httpx.Response:
        """The first answer that is one: neither a broken connection nor a 503."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        deadline = time.monotonic() + self.within
        while True:
            self.tries += 1
            try:
                answer = await self.http.request(method, path, headers=headers, **request)
                if answer.status_code != 503:
                    return answer
                self.troubles.append("503")
            except httpx.TransportError as fault:
                self.troubles.append(type(fault).__name__)
            assert time.monotonic() < deadline, f"{method} {path}: {self.troubles[-5:]}"
            await asyncio.sleep(AGAIN_AFTER)

    async def get(self, path: str, token: str | None = None, **request: Any) -> Any:
        answer = await self.ask("GET", path, token, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def operate(self, path: str, **request: Any) -> Any:
        return await self.get(f"/operator/v1{path}", self.operator_token, **request)

    async def apply(self, **changes: Any) -> str:
        answer = await self.ask("POST", "/v1/applications", json=application(**changes))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["contract_id"])

    async def do(self, kind: str, contract_id: str, action: str = "done") -> dict[str, Any]:
        """Deal with the task of that kind, as soon as it is there."""
        tasks: list[Any] = []
        while not tasks:
            items = (await self.operate("/tasks", params={"contract_id": contract_id}))["items"]
            tasks = [task for task in items if task["kind"] == kind]
            await asyncio.sleep(0 if tasks else AGAIN_AFTER)
        path = f"/operator/v1/tasks/{tasks[0]['task_id']}"
        answer = await self.ask("POST", path, self.operator_token, json={"action": action})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def outbox(self, contract_id: str) -> list[dict[str, Any]]:
        sandbox = str(self.service.settings.sandbox_url)
        answer = await self.http.get(f"{sandbox}/outbox", params={"contract_id": contract_id, "limit": "200"})
        return list(answer.json()["items"])

    async def sign_in(self, contract_id: str) -> str:
        """The session of the contract's customer, once the login has come by mail."""
        mails: list[dict[str, Any]] = []
        while not mails:
            mails = [mail for mail in await self.outbox(contract_id) if mail["kind"] == "login"]
            await asyncio.sleep(0 if mails else AGAIN_AFTER)
        fields = mails[0]["fields"]
        login = {"login_id": fields["login_id"], "password": fields["password"]}
        answer = await self.ask("POST", "/v1/sessions", json=login)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def request(self, token: str, contract_id: str, kind: str, **body: Any) -> httpx.Response:
        """With the consent of a preview, however often somebody else is asked in between."""
        path = f"/v1/contracts/{contract_id}/procedures/{kind}"
        preview = await self.ask("POST", f"{path}/preview", token, json=body)
        if preview.status_code != 200:
            return preview
        return await self.ask("POST", path, token, json=body | {"consent": preview.json()["consent"]})

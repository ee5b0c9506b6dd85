"""Readers that poll every read of the API about lines, and fail where one shows neither all that hangs on it nor its end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.parts import Parts

IDS, POINTS = 2, 300
Judge = Callable[[Any], bool]


@dataclass
class Seen:
    """A line that is to be switched over. `over_since`: when somebody first was told that it had been."""

    contract_id: str
    procedure_id: str
    number: str
    token: str
    over_since: float | None = None


def neither(what: bool, why: Any) -> None:
    assert not what, f"neither before nor after: {why}"


def contract_is_over(found: Any) -> bool:
    over = found["state"] == "converted"
    pending = [one["state"] for one in found["pending"] if one["kind"] == "conversion"]
    neither(pending != ([] if over else ["taken_up"]), found)
    neither(over != (found["ended_at"] is not None), found)
    return bool(over)


def listed_is_over(found: Any) -> bool:
    return contract_is_over(found["items"][0])


def ids_are_gone(found: Any) -> bool:
    neither(len(found["items"]) not in (0, IDS), found)
    return not found["items"]


def points_are_gone(found: Any) -> bool:
    neither(found["balance"] not in (0, POINTS), found)
    neither(found["balance"] != sum(lot["left"] for lot in found["lots"]), found)
    return not found["balance"]


def procedure_is_over(found: Any) -> bool:
    """The state, and the names of what is to be lost: both of before, or both of after."""
    over = found["state"] == "converted"
    deleted = [one for one in found["effects"] if one["what"] == "passport_id_deleted"]
    named = [one for one in deleted if "name" in one]
    neither(len(deleted) != IDS or len(named) != (0 if over else IDS), found)
    if "history" in found:
        neither(over != (found["history"][-1]["to"] == "converted"), found)
    return bool(over)


def conversion_is_over(found: Any) -> bool:
    (conversion,) = [one for one in found["items"] if one["kind"] == "conversion"]
    return procedure_is_over(conversion)


def timeline_tells_of_it(found: Any) -> bool:
    told = {one["what"] for one in found["items"]} & {"conversion_converted", "contract_converted"}
    neither(len(told) == 1, found)
    return bool(told)


def reads(line: Seen) -> list[tuple[str, Judge]]:
    path = f"/v1/contracts/{line.contract_id}"
    return [
        (path, contract_is_over),
        ("/v1/contracts", listed_is_over),
        (f"{path}/passport-ids", ids_are_gone),
        (f"{path}/points", points_are_gone),
        (f"{path}/procedures", conversion_is_over),
        (f"/v1/procedures/{line.procedure_id}", procedure_is_over),
        (f"{path}/timeline", timeline_tells_of_it),
    ]


class Readers:
    """`hot` are the lines that are being switched over now; `reads` counts answers, `crossed` lines seen on both sides."""

    def __init__(self, service: Parts, lines: list[Seen], seed: int) -> None:
        self.lines, self.hot, self.seed = lines, lines[:2], seed
        self.http = httpx.AsyncClient(base_url=service.plan.api, timeout=15, trust_env=False)
        self.reads = {False: 0, True: 0}
        self.stopped = False

    async def poll(self, number: int) -> None:
        chance = random.Random(self.seed + number)
        while not self.stopped:
            line = chance.choice(self.hot if chance.random() < 0.8 else self.lines)
            path, is_over = chance.choice(reads(line))
            began = time.monotonic()
            try:
                answer = await self.http.get(path, headers={"Authorization": f"Bearer {line.token}"})
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 503:
                continue
            assert answer.status_code == 200, (path, answer.status_code, answer.text)
            self.told(line, path, began, is_over(answer.json()))
            await asyncio.sleep(0.01)

    def told(self, line: Seen, path: str, began: float, over: bool) -> None:
        """What was over once stays over, whichever read is asked next."""
        self.reads[over] += 1
        if over:
            line.over_since = line.over_since or time.monotonic()
        else:
            assert line.over_since is None or began < line.over_since, f"{path} shows it alive again"

"""The clock of the service, moved ahead from one thing that happens to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import httpx

from rules.calendar import JST, day_of, first_of_month


@dataclass
class Clock:
    """`begins` is the 1st on which the first month of the demo begins; `now` is what the service said last."""

    http: httpx.AsyncClient
    begins: datetime
    now: datetime

    @classmethod
    async def of(cls, http: httpx.AsyncClient) -> Clock:
        answer = (await http.get("/dev/v1/clock")).raise_for_status()
        now = datetime.fromisoformat(answer.json()["now"])
        return cls(http, datetime.combine(first_of_month(day_of(now), 1), time(), JST), now)

    def at(self, month: int, day: int, hour: int = 10) -> datetime:
        """An instant of the demo: so many months after its first, on that day, at that hour in Japan."""
        first = first_of_month(day_of(self.begins), month)
        return datetime.combine(first + timedelta(days=day - 1), time(hour), JST)

    async def rest(self) -> None:
        """Wait until nothing is due any more."""
        self.now = datetime.fromisoformat(
            (await self.http.get("/dev/v1/clock")).raise_for_status().json()["now"]
        )
        await self.move(self.now + timedelta(seconds=5))

    async def move(self, to: datetime) -> None:
        """Everything due until then is done when this returns."""
        if to <= self.now:
            return
        answer = await self.http.post("/dev/v1/clock", json={"to": to.isoformat()})
        answer.raise_for_status()
        self.now = datetime.fromisoformat(answer.json()["now"])

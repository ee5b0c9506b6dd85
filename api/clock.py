"""What time it is by the clock of the workflow engine (CAL-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client

from rules.clock import Clock


class EngineClock:
    """Real time, or that of a time-skipping server: real time plus what it was moved ahead by."""

    def __init__(self, client: Client, clock: Clock, test: bool) -> None:
        self._client, self._clock, self.test = client, clock, test
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Business time, in Japan."""
        return self._clock.business(datetime.now(UTC) + self._ahead)

    def seconds(self, began: datetime, ended: datetime | None = None) -> float:
        """How many of the engine's seconds lie between two business instants, or between one and now."""
        return self._clock.wait((ended or self.now()) - began).total_seconds()

    async def refresh(self) -> None:
        """Ask the time-skipping server how far ahead it is."""
        if self.test:
            answer = await self._client.service_client.test_service.get_current_time(Empty())
            self._ahead = answer.time.ToDatetime(UTC) - datetime.now(UTC)

    async def skip_to(self, instant: datetime) -> None:
        """Let the server jump there; what is due on the way happens on the way."""
        request = SleepRequest()
        request.duration.FromTimedelta(max(timedelta(0), instant - self.now()))
        await self._client.service_client.test_service.unlock_time_skipping_with_sleep(request)
        await self.refresh()

"""Business time as a function of the workflow engine's. The same, but for a service started at another speed to be watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.calendar import JST


@dataclass(frozen=True, slots=True)
class Clock:
    """Runs `speed` times as fast as the engine's clock from `epoch` on. It is linear, so replaying gives the same instants."""

    speed: int = 1
    epoch: datetime | None = None

    def business(self, engine: datetime) -> datetime:
        """Business time, in Japan, at the engine's instant `engine`."""
        if self.epoch is None or self.speed == 1:
            return engine.astimezone(JST)
        return (self.epoch + (engine - self.epoch) * self.speed).astimezone(JST)

    def wait(self, business: timedelta) -> timedelta:
        """How long the engine waits for a span of business time; never negative."""
        return max(timedelta(0), business / self.speed)

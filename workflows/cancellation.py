"""Cancellation of a rental: the contract ends with a month, the device comes back (RNT-8 to RNT-10)."""

from __future__ import annotations

from typing import Any

from rules import cancellation
from rules.effects import Effect
from rules.facts import Procedure
from workflows import device_return
from workflows.device_return import act, due
from workflows.step import Step

__all__ = ["accept", "act", "due"]


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """The contract's last day is set."""
    procedure = step.begin("cancellation", effects, body)
    device_return.set_end(step, procedure, cancellation.last_day(step.at, step.policy))
    return procedure

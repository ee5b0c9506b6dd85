"""Cancellation: the contract ends with a month; a rental's device comes back, all that hangs on a line ends (RNT-8, LIN-4)."""

from __future__ import annotations

from typing import Any

from rules import cancellation
from rules.effects import Effect
from rules.facts import Procedure
from workflows import device_return, line
from workflows.device_return import act
from workflows.step import Step

__all__ = ["accept", "act", "due"]


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """The contract's last day is set."""
    procedure = step.begin("cancellation", effects, body)
    device_return.set_end(step, procedure, cancellation.last_day(step.at, step.policy))
    return procedure


def due(step: Step, procedure: Procedure) -> None:
    """The contract has ended, or the device's way back goes on."""
    if step.contract.product == "rental":
        device_return.due(step, procedure)
        return
    line.end(step, "end")

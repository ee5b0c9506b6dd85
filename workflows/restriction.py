"""Restricting a passport ID, at once (MAT-9)."""

from __future__ import annotations

from typing import Any

from rules.effects import Effect
from rules.facts import Procedure
from workflows.step import Step


def accept(step: Step, body: dict[str, Any], effects: list[Effect]) -> Procedure:
    """From this instant on no purchase, and no settlement of a monthly item."""
    procedure = step.begin("restriction", effects, body)
    step.fire(procedure, "restrict")
    step.contract.restricted.append(body["passport_id"])
    step.restricted.append(body["passport_id"])
    return procedure

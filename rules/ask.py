"""One request as the rules see it: the contract, what is asked, when, by which figures, and what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.change import Holdings
from rules.facts import Contract
from rules.figures import Policy


@dataclass(frozen=True, slots=True)
class Ask:
    contract: Contract
    body: dict[str, Any]
    now: datetime
    policy: Policy
    holdings: Holdings

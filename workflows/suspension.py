"""Suspension by collection (BIL-3). A customer's own restriction of a passport ID is another thing: neither lifts the other."""

from __future__ import annotations

from rules.beside import OVER
from rules.collection import BLOCK, DEMANDING
from workflows.step import Step


def review(step: Step) -> None:
    """The service is suspended while any collection demands it and the contract is not over."""
    contract = step.contract
    demanded = any(p.kind == "collection" and p.state in DEMANDING for p in contract.procedures)
    wanted, blocked = demanded and contract.state not in OVER, BLOCK in contract.blocks
    if wanted and not blocked:
        contract.blocks = [*contract.blocks, BLOCK]
        step.money.blocked = step.at
        if contract.state == "active":
            step.fire_contract("suspend")
    elif blocked and not wanted:
        contract.blocks = [block for block in contract.blocks if block != BLOCK]
        step.money.unblocked = step.at
        if contract.state == "suspended":
            step.fire_contract("resume", what="contract_resumed")

"""A new authentication key: sent by post, worth something once it is registered (PNT-7)."""

from __future__ import annotations

from workflows.step import Step


def issue(step: Step) -> str:
    """Counted here, derived where it is needed."""
    step.contract.authentication_key_issue += 1
    step.note("authentication_key_issued")
    step.deliver("authentication_key", issue=step.contract.authentication_key_issue)
    return ""

"""A new access key: from this instant on the old one is worth nothing (IDN-2)."""

from __future__ import annotations

from workflows.step import Step


def reissue(step: Step) -> str:
    """Counted here, derived where it is needed; sent by post."""
    step.contract.access_key_issue += 1
    step.note("access_key_issued")
    step.deliver("access_key", issue=step.contract.access_key_issue)
    return ""

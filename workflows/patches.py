"""Where histories of an earlier release took another path (docs/decisions/versioning.md)."""

from __future__ import annotations

from temporalio import workflow

SHIPPED_WAITS_FOR_ITS_MONTH = "shipped-waits-for-its-month"
WITHDRAWN_WITH_DEVICE = "tasks-withdrawn-with-the-device"
PATIENT_WITH_DEADLINES_ALONE = "patient-with-deadlines-alone"
CARD_TAKEN_ALONG = "card-under-way-taken-along"


def goes(patch: str) -> bool:
    """Whether to take the new path. Outside workflows there is no other; not for validators, as it may write a marker."""
    return not workflow.in_workflow() or workflow.patched(patch)

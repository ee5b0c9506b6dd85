"""What hangs on a line and ends with it (LIN-4, COL-3 to COL-5, PNT-9)."""

from __future__ import annotations

from datetime import datetime

from rules.calendar import end_of
from rules.change import Holdings
from rules.effects import Effect


def losses(holdings: Holdings, at: datetime | None) -> list[Effect]:
    """Everything that is lost when the line ends or is converted at `at`; None: nobody knows when yet."""
    ids = [Effect(at=at, what="passport_id_deleted", passport_id=found) for found in holdings.passport_ids]
    ended = [
        Effect(at=at, what="monthly_item_ended", purchase_id=item.purchase_id) for item in holdings.items
    ]
    fees = [
        Effect(
            at=at,
            what="provider_cancellation_fee",
            purchase_id=item.purchase_id,
            amount=item.cancellation_fee,
        )
        for item in holdings.items
        if item.cancellation_fee
    ]
    lost = _points_lost(holdings, at)
    points = [Effect(at=at, what="points_forfeited", amount=lost)] if lost else []
    return [*ids, *ended, *fees, *points, *([Effect(at=at, what="matomete_ends")] if ids else [])]


def _points_lost(holdings: Holdings, at: datetime | None) -> int:
    """What lapses before the line ends is lost whether or not it ends (PNT-4); of older requests only the sum is known."""
    if at is None or not holdings.points_until:
        return holdings.points
    return sum(left for last, left in holdings.points_until.items() if end_of(last) >= at)

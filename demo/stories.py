"""What happens in the demo: every branch that a rental can take. Each `yield` is the instant of what comes next."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from demo.customer import Customer

MONTHS = 24
Story = AsyncIterator[datetime]


async def _begins(
    c: Customer, month: int, plan: str, course: str = "standard", card: str = "tok_ok"
) -> Story:
    at = c.clock.at
    yield at(month, 3)
    await c.applies(plan, course, card)
    yield at(month, 4, 11)
    await c.operator_does("confirm_application", "approve")
    yield at(month, 6, 15)
    await c.operator_does("report_shipped")


async def _changes_plan(c: Customer, month: int) -> Story:
    at = c.clock.at
    yield at(month, 10)
    await c.asks("plan_change", plan="wifi-100", course="standard")
    yield at(month, 27)
    await c.operator_does("report_shipped")


async def device_in_time(c: Customer) -> Story:
    async for when in _begins(c, 0, "wifi-50"):
        yield when
    async for when in _changes_plan(c, 3):
        yield when
    yield c.clock.at(4, 8, 14)
    await c.operator_does("receive_device", contract=0)


async def device_late(c: Customer) -> Story:
    async for when in _begins(c, 1, "wifi-50"):
        yield when
    yield c.clock.at(5, 16)
    await c.is_refused("plan_change", plan="wifi-100", course="standard")
    async for when in _changes_plan(c, 6):
        yield when
    yield c.clock.at(7, 19, 14)
    await c.operator_does("receive_device", contract=0)


async def device_charged(c: Customer) -> Story:
    async for when in _begins(c, 2, "wifi-50"):
        yield when
    async for when in _changes_plan(c, 8):
        yield when
    yield c.clock.at(11, 12, 14)
    await c.operator_does("receive_device", contract=0)


async def card_mended(c: Customer) -> Story:
    async for when in _begins(c, 0, "wifi-unlimited", card="tok_declined"):
        yield when
    yield c.clock.at(0, 9, 20)
    await c.asks("payment_method", payment={"method": "credit_card", "card_token": "tok_ok"})
    yield c.clock.at(2, 12)
    await c.asks("support_option", option="support_premium")
    yield c.clock.at(15, 15, 23)
    await c.asks("cancellation")
    yield c.clock.at(16, 5, 14)
    await c.operator_does("receive_device")


async def cancelled_on_the_16th(c: Customer) -> Story:
    async for when in _begins(c, 1, "wifi-100", "omatome"):
        yield when
    yield c.clock.at(3, 25)
    await c.is_refused("cancellation")
    yield c.clock.at(4, 16, 0)
    await c.asks("cancellation")
    yield c.clock.at(6, 9, 14)
    await c.operator_does("receive_device")


async def deposit_kept(c: Customer) -> Story:
    async for when in _begins(c, 0, "wifi-100", "depocomi"):
        yield when
    yield c.clock.at(11, 5)
    await c.asks("cancellation")
    yield c.clock.at(12, 7, 14)
    await c.operator_does("receive_device")


async def deposit_forfeited(c: Customer) -> Story:
    async for when in _begins(c, 2, "wifi-100", "depocomi"):
        yield when
    yield c.clock.at(12, 5)
    await c.asks("cancellation")
    yield c.clock.at(13, 10, 14)
    await c.operator_does("receive_device")


async def turned_down(c: Customer) -> Story:
    yield c.clock.at(3, 11)
    await c.applies("wifi-50", card=None)
    yield c.clock.at(3, 12, 16)
    await c.operator_does("confirm_application", "turn_down")


STORIES: list[tuple[str, str, str, Callable[[Customer], Story]]] = [
    ("Plan change, the old device back in time", "山田 花子", "ヤマダ ハナコ", device_in_time),
    ("Plan change, the old device back late", "佐藤 健", "サトウ ケン", device_late),
    ("Plan change, the old device charged and back later", "鈴木 愛", "スズキ アイ", device_charged),
    ("Card declined and mended, Support Premium, cancelled on the 15th", "高橋 誠", "タカハシ マコト", card_mended),
    ("Paid ahead (omatome), cancelled on the 16th", "田中 結衣", "タナカ ユイ", cancelled_on_the_16th),
    ("Depocomi, the deposit comes back", "伊藤 翔", "イトウ ショウ", deposit_kept),
    ("Depocomi, the deposit is forfeited", "渡辺 さくら", "ワタナベ サクラ", deposit_forfeited),
    ("A company turned down", "見本商事株式会社", "ミホンショウジ", turned_down),
]  # fmt: skip


async def live(
    lives: list[tuple[Customer, Story]], tell: Callable[[datetime, str], None], end: datetime
) -> None:
    """Let all of it happen in the order of its dates; `tell` hears of each instant before the clock is moved there."""
    waiting = [
        (await anext(story), number, customer, story) for number, (customer, story) in enumerate(lives)
    ]
    heapq.heapify(waiting)
    while waiting:
        when, number, customer, story = waiting[0]
        tell(when, customer.title)
        await customer.clock.move(when)
        following = await anext(story, None)
        if following is None:
            heapq.heappop(waiting)
        else:
            heapq.heapreplace(waiting, (following, number, customer, story))
    tell(end, "What is left runs its course")
    await lives[0][0].clock.move(end)

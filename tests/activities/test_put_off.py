"""A mailbox that takes a run's mail not now is tried again, and in the end given up; it holds up nobody else, and no run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from temporalio.testing import ActivityEnvironment

import worker
from api.clock import EngineClock
from bench.filled import fill
from gate import Gate
from outside.notice import Unreachable
from rules import policy
from rules.calendar import JST
from rules.clock import Clock
from rules.runs import Later, Proof, Range, Reached, Run, put_off_id
from store import runs
from store.jobs import groundwork
from store.tables import AccountRow, ContractRow, DeliveryRow, EntryRow, PartyRow
from store.write import insert, table
from tests.activities.world import OutsideWorld
from tests.outside.mailboxes import FULL, UNKNOWN, Mailboxes, mailboxes

MAY = Run(job="month-end", period="2026-05")
NOW = datetime(2026, 6, 1, 0, 10, tzinfo=JST)
DAYS = policy.load().runs.put_off_days
SIZE = 120
"""Lines, in the order in which they are written to: more than two batches."""


class MonthEnd:
    """Every line gets its statement by mail, to a mailbox of its own: `boxes`, in the order in which they are written to."""

    def __init__(self, outside: OutsideWorld, template: Path, server: Mailboxes) -> None:
        outside.settings = outside.settings.model_copy(update={"smtp_port": server.port})
        self.world, self.server = outside.world(template), server
        fill(self.world.engine, SIZE)
        parties, contracts = table(PartyRow), table(ContractRow)
        reached = {"bill_mail": True, "email": parties.c.party_id + "@example.jp"}
        with self.world.engine.begin() as connection:
            connection.execute(update(parties).values(reached))
            found = connection.execute(select(contracts.c.account_id, contracts.c.party_id)).all()
            account = {"kind": "individual", "language": "ja", "created_at": NOW}
            insert(connection, AccountRow, [account | {"account_id": row.account_id} for row in found])
        self.boxes = sorted(f"{row.party_id}@example.jp" for row in found)

    async def at(self, now: datetime, name: str, *more: Any) -> Any:
        """One try of an activity of the run, as a worker has it that begins with it at `now`."""
        running = ActivityEnvironment()
        running.info = replace(running.info, started_time=now)
        answer = running.run(self.world.activities[name], MAY, *more)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def closed(self) -> None:
        """All statements are made, and none has left."""
        await self.at(NOW, "run_begin", NOW)
        await self.at(NOW, "run_chunks", Range())

    async def sent(self, now: datetime = NOW) -> Reached:
        reached: Reached = await self.at(now, "run_notices")
        return reached

    async def proved(self) -> Proof:
        proof: Proof = await self.at(NOW, "run_prove", NOW, len(self.server.took))
        return proof

    async def tried_again(self, now: datetime) -> datetime | None:
        """When the next try is due."""
        later: Later = await self.at(now, "run_put_off")
        return later.until

    def outcomes(self) -> Counter[str | None]:
        with self.world.engine.begin() as connection:
            return Counter(connection.execute(select(table(DeliveryRow).c.outcome)).scalars())

    def arrived(self) -> set[str]:
        """Whose mail is known to have left."""
        rows = table(DeliveryRow)
        with self.world.engine.begin() as connection:
            found = connection.execute(select(rows.c.contract_id).where(rows.c.outcome == "arrived"))
            return {box(contract_id) for contract_id in found.scalars()}

    def put_off(self) -> list[tuple[str, str | None, datetime | None]]:
        """The mailboxes, why, and until when."""
        rows = table(DeliveryRow)
        with self.world.engine.begin() as connection:
            found = connection.execute(select(rows).where(rows.c.put_off_since.is_not(None)))
            return [(box(row["contract_id"]), row["trouble"], row["next_try_at"]) for row in found.mappings()]

    def timeline(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.world.engine.begin() as connection:
            found = connection.execute(select(table(EntryRow))).mappings()
            return [(box(row["contract_id"]), row["what"], row["data"]) for row in found]

    def told(self) -> dict[str, Any]:
        """As operators see the run: whether it is done, who was parked and why."""
        with self.world.engine.begin() as connection:
            known = runs.of(connection, MAY.job, MAY.period)
        assert known and known.result
        parked = [(box(one["contract_id"]), one["reason"]) for one in known.result["parked"]]
        return {"state": known.state, "parked": parked, "notices": known.result["notices"]}


def box(contract_id: str) -> str:
    return f"y-{contract_id}@example.jp"


@pytest.fixture
async def month_end(outside: OutsideWorld, template: Path) -> AsyncIterator[MonthEnd]:
    async with mailboxes() as server:
        made = MonthEnd(outside, template, server)
        await made.closed()
        yield made


async def test_four_mailboxes_at_the_front_that_put_off_theirs_hold_up_nobody(month_end: MonthEnd) -> None:
    server, front = month_end.server, month_end.boxes[:4]
    server.answers = dict.fromkeys(front, FULL)
    assert await month_end.sent() == Reached(last=None, done=SIZE - 4)
    assert (server.took, server.twice) == (month_end.boxes[4:], [])
    assert sorted(server.asked) == month_end.boxes, "nobody was asked twice"
    assert month_end.put_off() == [(one, "put off with 452", NOW + timedelta(minutes=1)) for one in front]


@pytest.mark.rule("BIL-8")
async def test_the_run_is_done_and_names_them_and_the_settlement_may_begin(month_end: MonthEnd) -> None:
    month_end.server.answers = dict.fromkeys(month_end.boxes[:4], FULL)
    await month_end.sent()
    assert (await month_end.proved()).left == []
    parked = [(one, "put off with 452") for one in month_end.boxes[:4]]
    assert month_end.told() == {"state": "done", "parked": parked, "notices": SIZE - 4}
    with month_end.world.engine.begin() as connection:
        assert groundwork(connection, Run(job="settlement", period=MAY.period)) is None


async def test_a_mailbox_that_takes_it_later_gets_it_once(month_end: MonthEnd) -> None:
    server, (first, *_) = month_end.server, month_end.boxes
    server.answers = {first: FULL}
    await month_end.sent()
    await month_end.proved()
    tried = NOW + timedelta(minutes=1)
    assert await month_end.tried_again(NOW + timedelta(seconds=59)) == tried, "not before it is due"
    again = await month_end.tried_again(tried)
    assert again == tried + timedelta(minutes=1)
    assert (server.asked.count(first), month_end.told()["parked"]) == (2, [(first, "put off with 452")])
    server.answers = {}
    assert await month_end.tried_again(again) is None
    assert (server.took, server.twice) == (month_end.boxes, [])
    assert month_end.told() == {"state": "done", "parked": [], "notices": SIZE}
    assert month_end.timeline() == []


async def test_one_that_never_takes_it_is_given_up_and_the_timeline_says_so(month_end: MonthEnd) -> None:
    server, (first, *others) = month_end.server, month_end.boxes
    server.answers = {first: FULL}
    await month_end.sent()
    await month_end.proved()
    tries, until = [NOW], await month_end.tried_again(NOW)
    while until:
        tries.append(until)
        until = await month_end.tried_again(until)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[:4] == [timedelta(minutes=minutes) for minutes in (1, 1, 2, 4)]
    assert (max(gaps), tries[-1]) == (timedelta(hours=4), NOW + timedelta(days=DAYS))
    assert server.asked.count(first) == len(tries) < 40
    assert month_end.outcomes() == {"arrived": SIZE - 1, "undeliverable": 1}
    assert month_end.told() == {"state": "done", "parked": [(first, "put off with 452")], "notices": SIZE - 1}
    assert month_end.timeline() == [(first, "notice_undeliverable", {"kind": "statement"})]
    assert server.took == others


async def test_one_that_refuses_it_for_good_is_told_in_the_same_way_at_once(month_end: MonthEnd) -> None:
    month_end.server.answers = {month_end.boxes[7]: UNKNOWN}
    await month_end.sent()
    assert (await month_end.proved()).left == []
    parked = [(month_end.boxes[7], "refused with 550")]
    assert month_end.told() == {"state": "done", "parked": parked, "notices": SIZE - 1}
    assert month_end.timeline() == [(month_end.boxes[7], "notice_undeliverable", {"kind": "statement"})]


async def test_a_run_that_is_done_again_leaves_what_is_put_off_to_its_next_try(month_end: MonthEnd) -> None:
    server, first = month_end.server, month_end.boxes[0]
    server.answers = {first: FULL}
    await month_end.sent()
    await month_end.closed()
    assert await month_end.sent(NOW + timedelta(minutes=5)) == Reached(last=None, done=SIZE - 1)
    assert (await month_end.proved()).left == []
    assert (server.asked.count(first), month_end.told()["parked"]) == (1, [(first, "put off with 452")])


@pytest.mark.parametrize("sign", ["refuses the sender", "is gone"])
async def test_for_a_server_that_is_out_of_order_the_run_waits_and_no_mailbox_is_taken_for_full(
    month_end: MonthEnd, sign: str
) -> None:
    server = month_end.server
    if sign == "refuses the sender":
        server.sender = FULL
    else:
        server.stop()
    for tried in range(3):
        with pytest.raises(Unreachable):
            await month_end.sent(NOW + timedelta(days=DAYS * tried))
    assert (month_end.outcomes(), month_end.put_off()) == ({None: SIZE}, [])
    assert len((await month_end.proved()).left) > 0
    server.sender = "250 OK"
    if sign == "is gone":
        await server.start()
    assert (await month_end.sent(NOW + timedelta(days=30))).done == SIZE
    assert (server.took, server.twice) == (month_end.boxes, [])


async def test_a_server_that_is_out_of_order_at_a_later_try_is_waited_for(month_end: MonthEnd) -> None:
    server, first = month_end.server, month_end.boxes[0]
    server.answers = {first: FULL}
    await month_end.sent()
    server.stop()
    for minutes in (1, 60, 24 * 60 * DAYS * 2):
        with pytest.raises(Unreachable):
            await month_end.tried_again(NOW + timedelta(minutes=minutes))
    await server.start()
    server.answers = {}
    assert await month_end.tried_again(NOW + timedelta(days=DAYS * 3)) is None
    assert (server.took, server.twice, month_end.timeline()) == (month_end.boxes, [], [])


async def test_killed_in_the_middle_everybody_gets_one_mail_and_who_is_put_off_stays_so(
    month_end: MonthEnd,
) -> None:
    """What is known to have left is not sent again; of the rest the mail is the same, by its Message-ID."""
    server, (first, second, *_) = month_end.server, month_end.boxes
    server.answers = {first: FULL, second: UNKNOWN}
    faults, known = month_end.world.outside.faults, set[str]()
    for broken in (40, 130, 600):
        faults.begin(broken=broken)
        with pytest.raises(Exception):  # noqa: B017 - whichever it is, Temporal runs the activity again
            await month_end.sent()
        faults.begin(broken=None)
        assert known.isdisjoint(server.twice)
        known = month_end.arrived()
    assert len(known) > 1
    await month_end.sent()
    assert server.took == month_end.boxes[2:]
    assert month_end.outcomes() == {"arrived": SIZE - 2, "undeliverable": 1, None: 1}
    assert month_end.timeline() == [(second, "notice_undeliverable", {"kind": "statement"})]
    assert known.isdisjoint(server.twice)


async def test_the_workflows_come_to_the_same(outside: OutsideWorld, template: Path) -> None:
    """The run is done while a mailbox is full, and what is put off is tried again by itself, for days."""
    async with mailboxes() as server:
        made, gate = MonthEnd(outside, template, server), Gate(outside.client, outside.settings.task_queue)
        (full, shut, *others) = made.boxes
        server.answers = {full: FULL, shut: FULL}
        activities = list(made.world.activities.values())
        with ThreadPoolExecutor(4) as executor:
            async with worker.make_worker(outside.client, outside.settings, activities, executor):
                result = await gate.run(MAY)
                assert (result["left"], server.took) == ([], others)
                server.answers = {shut: FULL}
                await passed(outside, timedelta(days=DAYS, hours=1))
                again = outside.client.get_workflow_handle(put_off_id(MAY))
                await asyncio.wait_for(again.result(), 30)
    assert (server.took, server.twice) == (sorted([full, *others]), [])
    assert made.told() == {"state": "done", "parked": [(shut, "put off with 452")], "notices": SIZE - 1}
    assert made.outcomes() == {"arrived": SIZE - 1, "undeliverable": 1}


async def passed(outside: OutsideWorld, time: timedelta) -> None:
    clock = EngineClock(outside.client, Clock(), test=True)
    await clock.refresh()
    await clock.skip_to(clock.now() + time)

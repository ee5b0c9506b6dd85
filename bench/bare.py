"""What Keiyaku is measured against: the smallest workflow that takes an update and runs one local activity for it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, insert
from temporalio import activity, workflow

from workflows import visible

QUEUE = "bench"
TIMEOUT = timedelta(seconds=10)
NOTES = Table(
    "bench_note",
    MetaData(),
    Column("note_id", Integer, primary_key=True),
    Column("key", String, nullable=False),
    Column("text", String, nullable=False),
)


class Note(BaseModel):
    key: str
    text: str


class Noted(BaseModel):
    key: str


@workflow.defn(name="Bare")
class Bare:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(name="insert")
    async def insert(self, note: Note) -> Noted:
        """One local activity that inserts one row in one transaction."""
        return await _local("bench_insert", note)

    @workflow.update(name="upsert")
    async def upsert(self, note: Note) -> Noted:
        """The same, with the upsert of search attributes that shows operators what a plan change does."""
        state, pending = visible.STATE.value_set("ending"), visible.PENDING.value_set(["plan_change"])
        waits, due = visible.WAITS_FOR.value_set(["calendar"]), visible.DUE_AT.value_set(workflow.now())
        workflow.upsert_search_attributes([state, pending, waits, due])
        return await _local("bench_insert", note)

    @workflow.update(name="nothing")
    async def nothing(self, note: Note) -> Noted:
        """One local activity that does nothing."""
        return await _local("bench_nothing", note)


async def _local(activity_name: str, note: Note) -> Noted:
    noted: Noted = await workflow.execute_local_activity(
        activity_name, note, result_type=Noted, start_to_close_timeout=TIMEOUT
    )
    return noted


class Notes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="bench_insert")
    def insert(self, note: Note) -> Noted:
        with self._engine.begin() as connection:
            connection.execute(insert(NOTES).values(key=note.key, text=note.text))
        return Noted(key=note.key)

    @activity.defn(name="bench_nothing")
    def nothing(self, note: Note) -> Noted:
        return Noted(key=note.key)

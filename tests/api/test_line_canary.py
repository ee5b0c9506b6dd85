"""Deleted means unreadable everywhere the service writes (COL-7): a passport ID's name and password leave no trace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, select
from temporalio.client import Client

from tests.line import Line, active_line, on_an_open_day
from tests.stack import Stack, new_key


def rows(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every row of every table, as text."""
    engine = create_engine(stack.database_url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        for table in found.sorted_tables:
            for row in connection.execute(select(table)):
                yield table.name, str(tuple(row))
    engine.dispose()


def histories(stack: Stack, contract_id: str) -> str:
    """All that Temporal keeps of the contract's present run."""

    async def fetch() -> str:
        client = await Client.connect(stack.note["temporal_address"])
        history = await client.get_workflow_handle(contract_id).fetch_history()
        # Not as JSON: there the payloads would be in base64.
        return "".join(str(event) for event in history.events)

    return asyncio.run(fetch())


def logs(stack: Stack) -> Iterator[Path]:
    """What the parts of the service write as they run, and what `up` itself says."""
    yield from stack.folder.rglob("*.log")
    yield from stack.folder.parent.glob("*.out")


def lost(stack: Stack, line: Line, canaries: list[str]) -> dict[str, list[str]]:
    """Where which canary is found."""
    places = [*rows(stack), ("Temporal", histories(stack, line.contract_id))]
    places += [(path.name, path.read_text(errors="replace")) for path in logs(stack)]
    return {one: sorted({place for place, text in places if one in text}) for one in canaries}


@pytest.mark.rule("COL-7")
def test_after_a_conversion_nothing_of_an_id_is_found_anywhere(stack: Stack) -> None:
    line = active_line(stack)
    names = [f"kanaria-{new_key()}" for _ in range(3)]
    passwords = ["kNr7xQ2vLp", "kNr8xQ3vLq"]
    made = line.customer.post(
        f"{line.path}/passport-ids",
        {"name": names[0], "password": passwords[0]},
        headers={"Idempotency-Key": new_key()},
    ).json()
    line.item(made, 300, password=passwords[0])
    line.change(made["passport_id"], name=names[1], password=passwords[1])
    line.buy(made | {"name": names[1]}, 100, password=passwords[0])
    forgotten = line.passport_id(names[2])
    line.delete(forgotten["passport_id"])
    on_an_open_day(stack)
    # What is sought is sought well: what lives is found, and so is what does not matter.
    found = lost(stack, line, [names[1], line.contract_id])
    assert found[names[1]] == ["passport_id"]
    assert {"Temporal", "contract"} <= set(found[line.contract_id])
    line.convert()
    assert lost(stack, line, names + passwords) == {one: [] for one in names + passwords}
    deletions = [row for place, row in rows(stack) if place == "deletion" and made["passport_id"] in row]
    assert len(deletions) == 1

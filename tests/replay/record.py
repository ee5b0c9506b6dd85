"""`python -m tests.replay.record [NAME]…`: live each life on a service of its own and keep what Temporal wrote down of it.

Do this when a change of the workflows is meant to make old histories impossible, that is before the first release only:
afterwards `workflow.patched` keeps them, and new shapes are added beside the old ones, by name.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from rules import policy
from tests.replay.lives import LIVES, LONG_LIVES
from tests.stack import Stack, stack

HISTORIES = Path(__file__).parent / "histories"
SHORT_RUNS = "continue_after_events = 50"


def short_runs(folder: Path) -> Path:
    """A policy file by which contracts begin anew early."""
    file = folder / "policy.toml"
    file.write_text(policy.DEFAULT.read_text().replace("continue_after_events = 200", SHORT_RUNS))
    return file


async def runs(address: str, contract_id: str) -> list[WorkflowHistory]:
    """The histories of all runs of a contract's workflow, the first one first."""
    client = await Client.connect(address)
    found: list[WorkflowHistory] = []
    run_id: str | None = None
    while run_id != "":
        found.insert(0, await client.get_workflow_handle(contract_id, run_id=run_id).fetch_history())
        run_id = found[0].events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


def keep(name: str, histories: list[WorkflowHistory]) -> None:
    """Whoever replays them has to know by which clock they were lived: it decides whether timers are taken back."""
    for number, history in enumerate(histories, 1):
        told: dict[str, Any] = json.loads(history.to_json())
        for event in told["events"]:
            _forget_who(event)
        told = {"workflow": history.workflow_id, "skips_time": True, **told}
        text = json.dumps(told, separators=(",", ":"))
        (HISTORIES / f"{name}-{number}.json").write_text(text + "\n")


def _forget_who(event: Any) -> None:
    """Which process it was, on which machine."""
    if isinstance(event, dict):
        for key, value in event.items():
            if key == "identity":
                event[key] = "worker"
            _forget_who(value)
    elif isinstance(event, list):
        for value in event:
            _forget_who(value)


def live(running: Stack, name: str) -> None:
    life = LIVES.get(name) or LONG_LIVES[name]
    for number, contract_id in enumerate(life(running), 1):
        found = asyncio.run(runs(running.note["temporal_address"], contract_id))
        keep(name if number == 1 else f"{name}-successor", found)


def main(*names: str) -> None:
    """Two services: one with the figures as they are, one with which contracts begin anew early. Of `names`, or all anew."""
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob("*.json") if not names else ():
        old.unlink()
    for whole in (LIVES, LONG_LIVES):
        lives = {name: life for name, life in whole.items() if not names or name in names}
        if not lives:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = policy.DEFAULT if whole is LIVES else short_runs(Path(folder))
            os.environ["KEIYAKU_POLICY_FILE"] = str(file)
            policies = HISTORIES / "policies"
            policies.mkdir(exist_ok=True)
            figures = policy.load(file)
            body = json.dumps(figures.model_dump(mode="json"), ensure_ascii=False, indent=1)
            (policies / f"{policy.digest(figures)}.json").write_text(body + "\n")
            with stack(Path(folder) / "data", "") as running:
                for name in lives:
                    live(running, name)
                    print(name, flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    main(*sys.argv[1:])

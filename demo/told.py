"""What happened to each contract, gathered from the service: bars that say what held from when to when, and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

import httpx
from sqlalchemy import Engine

from demo.customer import Customer
from rules.texts import name
from store import contracts
from store.database import reading
from workflows.step import MACHINES

OVER = frozenset({"ended", "turned_down", "closed", "in_effect", "superseded", "declined"})
"""States in which nothing is pending any more."""
CONTRACT, PROCEDURES = ("contract", "application"), tuple(kind for kind in MACHINES if kind != "application")
AMOUNTS = {
    ("fee", "plan_change"): "plan change",
    ("fee", "prepaid_months"): "months paid ahead",
    ("device", "device"): "device",
    ("correction", "device"): "device taken back",
    ("deposit", "deposit_returned"): "deposit returned",
    ("deposit", "deposit_forfeited"): "deposit kept back",
    ("fee", "prepaid_months_forfeited"): "unused months lost",
}


@dataclass(frozen=True)
class Span:
    """A state that held from `start` to `end`."""

    state: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Event:
    """`lane` is the number of the lane it happened on; `notes` what was promised with it."""

    at: datetime
    lane: int
    text: str
    by: str
    sign: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Lane:
    """A contract, or one of its procedures."""

    title: str
    spans: list[Span] = field(default_factory=list)


@dataclass
class Told:
    """One picture: a contract and, where its plan was changed, the one that follows it."""

    title: str
    facts: list[dict[str, Any]]
    lanes: list[Lane]
    events: list[Event]
    amounts: list[tuple[str, int]]
    begins: datetime
    ends: datetime
    file: str = ""

    def state(self, event: Event) -> str:
        """What held on the event's lane once it had happened; empty before anything did."""
        held = [span.state for span in self.lanes[event.lane].spans if span.start <= event.at]
        return held[-1] if held else ""


async def tell(customer: Customer, http: httpx.AsyncClient, engine: Engine, ends: datetime) -> Told:
    """Everything that happened to the customer's contracts, in the order of its dates."""
    told = Told(customer.title, [], [], [], [], customer.clock.begins, ends)
    for contract_id in customer.contracts:
        await _contract(told, customer, http, contract_id)
        told.amounts += _amounts(engine, contract_id)
    told.events += [
        Event(no.at, 0, f"Refused by {no.rule}: {no.text}", "customer", sign="✕") for no in customer.refusals
    ]
    told.events.sort(key=lambda event: (event.at.replace(microsecond=0), event.sign != ""))
    return told


async def _contract(told: Told, customer: Customer, http: httpx.AsyncClient, contract_id: str) -> None:
    path = f"/operator/v1/contracts/{contract_id}"
    told.facts.append(await _read(http, path, customer.operator))
    entries = await _read(http, f"{path}/timeline?limit=200", customer.operator)
    mails = await _read(http, f"/dev/v1/outbox?contract_id={contract_id}", {})
    own = len(told.lanes)
    lanes = _lanes(told, entries["items"], "Successor" if own else "Contract")
    for at, together in groupby(entries["items"], key=lambda entry: str(entry["at"])):
        told.events.append(_event(at, list(together), lanes, customer.promised))
    for mail in mails["items"]:
        sign = "✉" if mail["channel"] == "mail" else "✍"
        text = f"{mail['channel'].capitalize()}: {name(mail['kind'], 'en')}"
        told.events.append(Event(_instant(mail["at"]), own, text, "", sign=sign))


async def _read(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.get(path, headers=headers)).raise_for_status().json()
    return answer


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _lanes(told: Told, entries: list[dict[str, Any]], title: str) -> dict[str | None, int]:
    """The number of the lane of each procedure, and under None that of the contract, which its application is part of."""
    lanes: dict[str | None, int] = {None: len(told.lanes)}
    moves: dict[str | None, list[tuple[datetime, str]]] = {None: []}
    told.lanes.append(Lane(title))
    for entry in entries:
        kind, state = _moved(entry["what"])
        key = entry["procedure_id"] if kind not in (*CONTRACT, "") else None
        if key not in lanes:
            lanes[key], moves[key] = len(told.lanes), []
            told.lanes.append(Lane(name(kind, "en")))
        if kind == "application" and not moves[None]:
            moves[None].append((_instant(entry["at"]), "applied" if state == "accepted" else state))
        elif kind and kind != "application":
            moves[key].append((_instant(entry["at"]), state))
    for key, found in moves.items():
        told.lanes[lanes[key]].spans = _spans(found, told.ends)
    return lanes


def _event(
    at: str, entries: list[dict[str, Any]], lanes: dict[str | None, int], promised: dict[str, list[str]]
) -> Event:
    """What happened at one instant is one event."""
    own = [entry for entry in entries if entry["procedure_id"] and entry["procedure_id"] in lanes]
    main = next(iter(own), entries[0])
    _, state = _moved(main["what"])
    notes = promised.get(main["procedure_id"] or "", []) if state == "accepted" else []
    text = " ".join(entry["text"] for entry in entries)
    key = main["procedure_id"] if main["procedure_id"] in lanes else None
    return Event(_instant(at), lanes[key], text, main["by"].partition(":")[0], notes=tuple(notes))


def _moved(what: str) -> tuple[str, str]:
    """The lifecycle that moved and the state it came to; empty where `what` is something else."""
    for kind in (*CONTRACT, *PROCEDURES):
        if what.startswith(f"{kind}_"):
            return kind, what.removeprefix(f"{kind}_")
    return "", ""


def _spans(moves: list[tuple[datetime, str]], ends: datetime) -> list[Span]:
    spans = [Span(state, start, end) for (start, state), (end, _) in pairwise(moves) if end > start]
    if moves:
        start, state = moves[-1]
        spans.append(Span(state, start, start if state in OVER else ends))
    return spans


def _amounts(engine: Engine, contract_id: str) -> list[tuple[str, int]]:
    """One-off amounts, yen without tax."""
    with reading(engine).begin() as connection:
        rows = contracts.charges(connection, contract_id)
    return [(AMOUNTS.get((row["kind"], row["item"]), row["kind"]), row["amount"]) for row in rows]

"""What an operator sees of a contract in the Temporal UI: search attributes, and the pending procedures as a table."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from rules.change import Change
from rules.facts import Contract

STATE = SearchAttributeKey.for_keyword("ContractState")
PRODUCT = SearchAttributeKey.for_keyword("ContractProduct")
PENDING = SearchAttributeKey.for_keyword_list("Pending")
WAITS_FOR = SearchAttributeKey.for_keyword_list("WaitsFor")
DUE_AT = SearchAttributeKey.for_datetime("DueAt")
LONGEST_SUMMARY = 100
KEYS = (STATE, PRODUCT, PENDING, WAITS_FOR, DUE_AT)

Shown = tuple[str, tuple[str, ...], tuple[str, ...], datetime | None]


def shown(contract: Contract) -> Shown:
    """State, pending kinds, whom they wait for, the next deadline."""
    if contract.state == "applied" and contract.number == 0:
        # Its application comes with the start: told with it, it costs no upsert.
        return contract.state, ("application",), ("operator",), None
    pending = tuple(sorted({p.kind for p in contract.procedures}))
    waits = {p.waiting_on for p in contract.procedures} | ({"operator"} if contract.tasks else set())
    due = min((p.due_at for p in contract.procedures if p.due_at), default=None)
    return contract.state, pending, tuple(sorted(waits - {"nobody"})), due


def attributes(contract: Contract) -> TypedSearchAttributes:
    """The search attributes of a snapshot, given with the start so that they cost nothing more."""
    state, pending, waits, due = shown(contract)
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(STATE, state),
        SearchAttributePair(PRODUCT, contract.product),
    ]
    if pending:
        pairs.append(SearchAttributePair(PENDING, list(pending)))
    if waits:
        pairs.append(SearchAttributePair(WAITS_FOR, list(waits)))
    if due:
        pairs.append(SearchAttributePair(DUE_AT, due))
    return TypedSearchAttributes(pairs)


def updates(contract: Contract, before: Shown | None) -> list[SearchAttributeUpdate[Any]]:
    """Only what has changed since `before`, so that nothing is billed twice."""
    state, pending, waits, due = shown(contract)
    old = before or (None, None, None, None)
    found: list[SearchAttributeUpdate[Any]] = []
    if before is None:
        found.append(PRODUCT.value_set(contract.product))
    if state != old[0]:
        found.append(STATE.value_set(state))
    if pending != old[1]:
        found.append(PENDING.value_set(list(pending)) if pending else PENDING.value_unset())
    if waits != old[2]:
        found.append(WAITS_FOR.value_set(list(waits)) if waits else WAITS_FOR.value_unset())
    if due != old[3]:
        found.append(DUE_AT.value_set(due) if due else DUE_AT.value_unset())
    return found


def details(contract: Contract) -> str:
    """The current details: a Markdown table of what is pending, with its next dates."""
    head = f"**{contract.state}** · {summary(contract)}"
    dates = f"in force {contract.in_force_from or '–'} to {contract.in_force_to or '–'}"
    rows = [_row(p.kind, p.state, p.waiting_on, _date(p.due_at)) for p in contract.procedures]
    rows += [_row(f"task {t.kind}", "open", "operator", _date(t.due_at)) for t in contract.tasks]
    rows += [_row(d.kind, "on its way", "outside", f"since {_date(d.at)}") for d in contract.deliveries]
    head_rows = [_row("what", "state", "waits for", "next"), "| --- | --- | --- | --- |"]
    table = [*head_rows, *rows] if rows else ["Nothing is pending."]
    after = [f"Goes on as `{contract.successor_contract_id}`."] if contract.successor_contract_id else []
    return "\n".join([head, "", dates, "", *table, "", *after])


def summary(contract: Contract) -> str:
    """The summary line, said once at the start."""
    return " · ".join(filter(None, (contract.product, contract.line_type, contract.plan, contract.course)))


def recorded(changes: list[Change]) -> str:
    """What the writing of `changes` is about, for the history: the lines of the timeline, in short."""
    whats = dict.fromkeys(_words(entry.what) for change in changes for entry in change.entries)
    return textwrap.shorten(", ".join(whats) or "outcome of a delivery", LONGEST_SUMMARY, placeholder=" …")


def show(contract: Contract, before: Shown | None) -> Shown:
    """Bring search attributes and details up to date."""
    changed = updates(contract, before)
    if changed:
        workflow.upsert_search_attributes(changed)
    workflow.set_current_details(details(contract))
    return shown(contract)


def _row(*cells: str) -> str:
    # The UI draws tables without any space between the columns; an em space is not trimmed away.
    return "| " + " | ".join(f"{_words(cell)}\u2003" for cell in cells) + " |"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _date(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%d %H:%M") if instant else "–"

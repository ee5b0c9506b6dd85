"""Move and change of line type keep everything that hangs on a line (LIN-3); they do not run beside each other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.line import ADDRESS, active_line, on_an_open_day
from tests.stack import Stack

ASKED: dict[str, dict[str, Any]] = {"move": {"address": ADDRESS}, "line_type_change": {"line_type": "cross"}}
each = pytest.mark.parametrize("kind", list(ASKED))


@pytest.mark.rule("LIN-3")
@each
def test_it_is_done_when_the_opening_is_reported_and_keeps_everything(stack: Stack, kind: str) -> None:
    line = active_line(stack)
    made = line.passport_id(monthly_cap=5000)
    line.item(made, 300)
    ids, bought, before = line.items("/passport-ids"), line.items("/purchases"), line.read()
    assert line.preview(kind, **ASKED[kind]).json()["effects"] == []
    answer = line.ask(kind, **ASKED[kind])
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
    assert answer.json()["waiting_on"] == "operator"
    assert ADDRESS not in answer.text
    asked = answer.json()["procedure_id"]
    assert line.procedure(asked)["queue"]["about_minutes"] >= 15
    waiting = line.read()
    assert (waiting["line_type"], waiting["registered_data"]) == ("next", before["registered_data"])
    stack.do("report_opening", line.contract_id)
    assert line.procedure(asked)["state"] == "done"
    after = line.read()
    changed = {"move": {"registered_data": before["registered_data"] | {"address": ADDRESS}}}
    assert after == before | changed.get(kind, {"line_type": "cross"})
    assert (line.items("/passport-ids"), line.items("/purchases")) == (ids, bought)
    assert line.buy(made, 4700).status_code == 201
    assert line.customer.sign_in().status_code == 201


@pytest.mark.rule("LIN-3")
def test_a_line_is_not_changed_to_what_it_is(stack: Stack) -> None:
    line = active_line(stack)
    assert line.refused(line.ask("line_type_change", line_type="next"), "LIN-3")
    assert line.ask("line_type_change", line_type="adsl").status_code == 422
    assert line.ask("move", address="").status_code == 422


@pytest.mark.rule("CAL-4")
@each
def test_one_is_not_asked_for_beside_the_other_and_no_number_is_issued(stack: Stack, kind: str) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    assert line.ask(kind, **ASKED[kind]).status_code == 202
    for other in (*ASKED, "conversion"):
        assert line.refused(line.preview(other, **ASKED.get(other, {})), "CAL-4")
    made = line.passport_id()
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    assert line.ask("unrestriction", passport_id=made["passport_id"]).status_code == 202
    stack.do("report_opening", line.contract_id)
    assert line.preview("conversion").status_code == 200


@pytest.mark.rule("CAL-4", "LIN-3")
@each
def test_one_that_is_pending_ends_with_the_line(stack: Stack, kind: str) -> None:
    line = active_line(stack)
    asked = line.ask(kind, **ASKED[kind]).json()["procedure_id"]
    stack.at(day=range(2, 12))
    line.agree("cancellation")
    stack.at(day=1, time="00:00:00")
    assert line.procedure(asked)["state"] == "superseded"
    assert stack.tasks(line.contract_id) == []


@pytest.mark.rule("LIN-3")
@each
def test_rentals_have_neither(stack: Stack, kind: str) -> None:
    assert stack.active_contract().ask(kind, **ASKED[kind]).status_code == 404

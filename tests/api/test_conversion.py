"""Collabo conversion: the number, what will be lost, the other operator's part, and what is left afterwards."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.line import ADDRESS, PASSWORD, Line, active_line, new_name, on_an_open_day
from tests.stack import Stack, new_key


@pytest.mark.rule("COL-5")
def test_the_preview_names_everything_that_will_be_lost(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    line.item(made, 300, provider="Ongaku", item="Songs", cancellation_fee=2000)
    line.item(other, 400, provider="Eiga", item="Films")
    line.buy(made, 100, item="Once")
    today = on_an_open_day(stack).date()
    preview = line.preview("conversion").json()
    told = {
        (e["what"], e.get("name"), e.get("item"), e.get("provider"), e["amount"]) for e in preview["effects"]
    }
    assert told == {
        ("number_lapses", None, None, None, None),
        ("passport_id_deleted", made["name"], None, None, None),
        ("passport_id_deleted", other["name"], None, None, None),
        ("monthly_item_ended", None, "Songs", "Ongaku", None),
        ("monthly_item_ended", None, "Films", "Eiga", None),
        ("provider_cancellation_fee", None, "Songs", "Ongaku", 2000),
        ("matomete_ends", None, None, None, None),
    }
    lapses, *rest = preview["effects"]
    assert lapses["at"] == f"{today + timedelta(days=15)}T00:00:00+09:00"
    assert {effect["at"] for effect in rest} == {None}
    assert any(made["name"] in effect["text"] for effect in rest)
    assert line.read()["pending"] == []


@pytest.mark.rule("COL-5")
def test_it_takes_the_consent_of_a_preview_that_still_holds(stack: Stack) -> None:
    line = active_line(stack)
    line.passport_id()
    on_an_open_day(stack)
    consent = line.preview("conversion").json()["consent"]
    assert line.ask("conversion").status_code == 428
    assert line.ask("conversion", consent="yes").status_code == 412
    name = line.passport_id()["name"]
    outdated = line.ask("conversion", consent=consent)
    assert outdated.status_code == 412
    renewed = outdated.json()["preview"]
    assert name in [effect.get("name") for effect in renewed["effects"]]
    assert line.ask("conversion", consent=renewed["consent"]).status_code == 202


@pytest.mark.rule("COL-1")
def test_the_number_comes_by_mail_and_nowhere_else(stack: Stack) -> None:
    line = active_line(stack)
    today = on_an_open_day(stack).date()
    number, asked = line.approval_number()
    assert re.fullmatch(r"[A-Z]\d{10}", number)
    assert (asked["state"], asked["waiting_on"]) == ("number_issued", "customer")
    assert asked["due_at"] == f"{today + timedelta(days=15)}T00:00:00+09:00"
    assert number not in str(asked)
    assert number not in line.get("/timeline").text


@pytest.mark.rule("COL-1")
def test_numbers_are_issued_in_their_hours_only(stack: Stack) -> None:
    line = active_line(stack)

    def refused_until(opens_at: datetime) -> bool:
        answers = [line.preview("conversion"), line.ask("conversion", consent="x")]
        opened = {answer.json().get("opens_at") for answer in answers}
        return all(line.refused(one, "COL-1") for one in answers) and opened == {opens_at.isoformat()}

    early = stack.at(day=range(4, 27), time="08:25:00")
    assert refused_until(early.replace(minute=30, second=0))
    stack.move(early.replace(minute=30, second=0))
    assert line.preview("conversion").status_code == 200
    late = stack.at(day=range(4, 27), time="22:00:00")
    assert refused_until((late + timedelta(days=1)).replace(hour=8, minute=30))
    new_year = stack.at(day=29, month=12, time="09:00:00")
    assert refused_until(new_year.replace(year=new_year.year + 1, month=1, day=4, hour=8, minute=30))


@pytest.mark.rule("COL-2")
def test_a_new_number_makes_the_earlier_one_void(stack: Stack) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    first, asked = line.approval_number()
    second, newer = line.approval_number()
    assert first != second
    assert line.procedure(asked["procedure_id"])["state"] == "superseded"
    for answer in (line.take_up(first), line.switch_over(first)):
        assert line.refused(answer, "COL-2")
    assert line.take_up(second).json()["procedure_id"] == newer["procedure_id"]


@pytest.mark.rule("COL-2")
def test_while_one_is_taken_up_no_new_number_is_issued(stack: Stack) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    number, _ = line.approval_number()
    assert line.take_up(number).json()["state"] == "taken_up"
    for answer in (line.preview("conversion"), line.ask("conversion", consent="x")):
        assert line.refused(answer, "COL-2")


@pytest.mark.rule("COL-1", "COL-2")
def test_a_number_lapses_on_the_sixteenth_day(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    issued = on_an_open_day(stack)
    number, asked = line.approval_number()
    ends = issued.replace(hour=0) + timedelta(days=15)
    stack.move(ends - timedelta(minutes=5))
    assert line.procedure(asked["procedure_id"])["state"] == "number_issued"
    stack.move(ends)
    lapsed = line.procedure(asked["procedure_id"])
    assert (lapsed["state"], lapsed["waiting_on"], lapsed["due_at"]) == ("lapsed", "nobody", None)
    assert line.refused(line.take_up(number), "COL-2")
    assert line.names == {made["name"]}
    assert (line.state, line.read()["pending"]) == ("active", [])


@pytest.mark.rule("COL-2")
def test_a_number_that_was_taken_up_no_longer_lapses(stack: Stack) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    number, asked = line.approval_number()
    taken = line.take_up(number).json()
    assert (taken["state"], taken["waiting_on"], taken["due_at"]) == ("taken_up", "other_operator", None)
    stack.pass_days(40)
    assert line.procedure(asked["procedure_id"])["state"] == "taken_up"
    assert line.switch_over(number).json()["state"] == "converted"


@pytest.mark.rule("COL-2")
def test_the_other_operators_steps_have_their_order_and_may_be_repeated(stack: Stack) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    number, _ = line.approval_number()
    assert line.refused(line.switch_over(number), "COL-2")
    for step, state in ((line.take_up, "taken_up"), (line.switch_over, "converted")):
        answers = [step(number) for _ in range(2)]
        assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, state)] * 2
    assert (line.take_up(number).status_code, line.take_up(number).json()["state"]) == (200, "converted")
    for step in (line.take_up, line.switch_over):
        assert step("X0000000000").status_code == 404
    assert line.customer.post(f"/operator/v1/conversions/{number}/take-up").status_code == 403


@pytest.mark.rule("COL-2")
def test_a_step_asked_for_four_times_at_the_same_moment_is_answered_alike(stack: Stack) -> None:
    line = active_line(stack)
    line.passport_id()
    on_an_open_day(stack)
    number, _ = line.approval_number()
    for step, state in ((line.take_up, "taken_up"), (line.switch_over, "converted")):
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(step, [number] * 4))
        assert [(answer.status_code, answer.json().get("state")) for answer in answers] == [(200, state)] * 4
    stack.mailed("deletion_certificate", line.contract_id)
    assert len(stack.outbox(kind="deletion_certificate", contract_id=line.contract_id)) == 1


@pytest.mark.rule("COL-3", "COL-7")
def test_what_was_deleted_is_read_nowhere_any_more(stack: Stack) -> None:
    line, other = active_line(stack), active_line(stack)
    made, keys = line.passport_id(), [new_key(), new_key()]
    line.item(made, 300)
    body = {"name": new_name(), "password": PASSWORD}

    def add() -> Any:
        return line.customer.post(f"{line.path}/passport-ids", body, headers={"Idempotency-Key": keys[0]})

    def issue() -> Any:
        return line.customer.post(f"{line.path}/authentication-keys", headers={"Idempotency-Key": keys[0]})

    on_an_open_day(stack)  # before: an answer is kept for a day
    assert [add().status_code, issue().status_code] == [201, 201]
    consent = {"consent": line.preview("conversion").json()["consent"]}

    def ask() -> Any:
        path = f"{line.path}/procedures/conversion"
        return line.customer.post(path, consent, headers={"Idempotency-Key": keys[1]})

    asked = ask()
    assert made["name"] in asked.text
    number = line.mailed_number(asked.json()["procedure_id"])
    line.take_up(number)
    assert line.switch_over(number).status_code == 200
    assert [add().status_code, ask().status_code] == [410, 410]
    assert issue().status_code == 201, "what names no ID is answered as before"
    read = line.read()
    assert (read["state"], read["pending"]) == ("converted", [])
    assert (read["in_force_to"], read["ended_at"][:10]) == (stack.now().date().isoformat(),) * 2
    assert line.items("/passport-ids") == []
    reads = ["", "/timeline", "/procedures", "/purchases", "/passport-ids"]
    texts = [line.get(path).text for path in reads]
    texts.append(line.customer.get(f"/v1/procedures/{asked.json()['procedure_id']}").text)
    texts.append(stack.operate("GET", f"/contracts/{line.contract_id}").text)
    for name in (made["name"], body["name"]):
        assert [text for text in texts if name in text] == []
        assert other.add(name).status_code == 201
    assert len(line.items("/purchases")) == 1


@pytest.mark.rule("COL-3", "CAL-4")
def test_nothing_is_written_any_more(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    on_an_open_day(stack)
    line.convert()
    answers = [
        line.add(),
        line.ask("cancellation", consent="x"),
        line.ask("conversion", consent="x"),
        line.ask("move", address=ADDRESS),
        line.ask("line_type_change", line_type="cross"),
        line.ask("payment_method", payment={"method": "invoice"}),
        line.ask("restriction", passport_id=made["passport_id"]),
        line.change(made["passport_id"], monthly_cap=1),
        line.delete(made["passport_id"]),
        line.preview("conversion"),
        line.customer.call("PATCH", f"{line.path}/registered-data", json={"phone": "09012345678"}),
        stack.operate("POST", f"/contracts/{line.contract_id}/access-key"),
    ]
    assert [line.refused(answer, "CAL-4") for answer in answers] == [True] * len(answers)
    assert line.buy(made, 100).status_code == 403
    assert line.customer.sign_in().status_code == 201


@pytest.mark.rule("COL-7")
def test_a_certificate_says_what_was_deleted_and_when(stack: Stack) -> None:
    line = active_line(stack)
    names = [line.passport_id()["name"] for _ in range(3)]
    on_an_open_day(stack)
    procedure = line.convert()
    letter = stack.mailed("deletion_certificate", line.contract_id)
    assert letter["fields"]["passport_ids"] == "3"
    told = [one for one in line.items("/timeline") if one["what"] == "passport_id_deleted"]
    assert {(one["at"], one["by"]) for one in told} == {(line.read()["ended_at"], "operator:operator")}
    assert len(told) == 3
    deleted_at = datetime.fromisoformat(letter["fields"]["deleted_at"])
    assert deleted_at == datetime.fromisoformat(line.read()["ended_at"])
    assert not [name for name in names if name in letter["text"]]
    assert procedure["number"] not in letter["text"]


@pytest.mark.rule("COL-3")
def test_a_restricted_id_and_its_form_go_with_the_line(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    line.ask("restriction", passport_id=made["passport_id"])
    form = line.ask("unrestriction", passport_id=made["passport_id"]).json()["procedure_id"]
    on_an_open_day(stack)
    line.convert()
    assert line.procedure(form)["state"] == "lapsed"
    assert stack.tasks(line.contract_id) == []
    assert active_line(stack).add(made["name"]).status_code == 201


@pytest.mark.rule("CAL-4")
def test_beside_a_number_that_is_taken_up(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()
    on_an_open_day(stack)
    number, _ = line.approval_number()
    line.take_up(number)
    for kind, body in {
        "cancellation": {"consent": "x"},
        "move": {"address": ADDRESS},
        "line_type_change": {"line_type": "cross"},
    }.items():
        assert line.refused(line.ask(kind, **body), "CAL-4")
    assert line.ask("restriction", passport_id=made["passport_id"]).status_code == 202
    assert line.refused(line.ask("unrestriction", passport_id=made["passport_id"]), "CAL-4")
    assert line.add().status_code == 201
    assert line.switch_over(number).status_code == 200
    assert line.names == set()


@pytest.mark.rule("CAL-4", "LIN-4")
def test_a_number_beside_a_cancellation_cannot_be_taken_up(stack: Stack) -> None:
    line = active_line(stack)
    on_an_open_day(stack)
    number, asked = line.approval_number()
    line.agree("cancellation")
    assert line.refused(line.ask("conversion", consent="x"), "CAL-4")
    assert line.refused(line.take_up(number), "CAL-4")
    stack.at(day=1, time="00:00:00")
    assert line.procedure(asked["procedure_id"])["state"] == "lapsed"
    assert line.refused(line.take_up(number), "COL-2")


@pytest.mark.rule("COL-5")
def test_somebody_elses_line_is_not_converted(stack: Stack) -> None:
    line, other = active_line(stack), active_line(stack)
    on_an_open_day(stack)
    wrong = Line(other.customer, line.contract_id)
    assert wrong.preview("conversion").status_code == 404
    assert wrong.ask("conversion", consent="x").status_code == 404

"""Passport IDs: how they are written, how many, whose name it is, what deleting one does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest

from tests.line import PASSWORD, Line, active_line, new_name
from tests.stack import Stack, new_key


@cache
def _line(stack: Stack) -> Line:
    return active_line(stack)


@pytest.fixture
def idle(stack: Stack) -> Line:
    """A line that gets no ID from any test."""
    return _line(stack)


@pytest.mark.rule("MAT-1", "MAT-2", "MAT-11")
def test_an_id_is_listed_as_it_was_asked_for(stack: Stack) -> None:
    line, name = active_line(stack), new_name()
    made = line.passport_id(name)
    plain = {"name": name, "monthly_cap": None, "line_authentication": True, "restricted": False}
    assert made == plain | {"passport_id": made["passport_id"]}
    other = line.passport_id(monthly_cap=3000, line_authentication=False)
    assert (other["monthly_cap"], other["line_authentication"]) == (3000, False)
    assert line.items("/passport-ids") == [made, other]


@pytest.mark.rule("MAT-2")
@pytest.mark.parametrize(
    "body",
    [
        {"name": "abc"},
        {"name": "a" * 61},
        {"name": " hanako"},
        {"name": "hanako "},
        {"name": "hana ko"},
        {"name": "花子花子"},
        {"name": "ｈａｎａｋｏ"},
        {"name": "hanako!"},
        {"name": "hanako\n"},
        {"password": "abc"},
        {"password": "a" * 11},
        {"password": "sakura-8"},
        {"password": " sakura"},
        {"password": 12345678},
        {"monthly_cap": -1},
        {"monthly_cap": "5000"},
        {"monthly_cap": True},
        {"line_authentication": "no"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_is_written_wrongly_is_named(idle: Line, body: dict[str, Any]) -> None:
    answer = idle.customer.post(
        f"{idle.path}/passport-ids", {"name": new_name(), "password": PASSWORD} | body
    )
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(body)


@pytest.mark.rule("MAT-2")
def test_a_space_at_an_end_comes_with_a_hint(idle: Line) -> None:
    for body in ({"name": " hanako", "password": PASSWORD}, {"name": "hanako", "password": f"{PASSWORD} "}):
        (fault,) = idle.customer.post(f"{idle.path}/passport-ids", body).json()["errors"]
        assert "空白" in fault["detail"]


@pytest.mark.rule("MAT-2")
def test_the_shortest_and_the_longest_are_taken(stack: Stack) -> None:
    line = active_line(stack)
    short, long = new_name()[-4:], f"{new_name()}._-@{'x' * 60}"[:60]
    line.passport_id(short, password="a1B2")
    line.passport_id(long, password="a1B2c3D4e5")
    assert line.names == {short, long}


@pytest.mark.rule("MAT-2")
def test_a_name_is_taken_once_over_all_lines_and_case_counts(stack: Stack) -> None:
    line, other, name = active_line(stack), active_line(stack), new_name()
    line.passport_id(name)
    for one in (line, other):
        assert one.refused(one.add(name), "MAT-2")
    upper = other.passport_id(name.upper())
    assert other.refused(other.change(upper["passport_id"], name=name), "MAT-2")
    assert other.names == {name.upper()}


@pytest.mark.rule("MAT-2")
def test_a_deleted_name_is_free_again(stack: Stack) -> None:
    line, other, name = active_line(stack), active_line(stack), new_name()
    made = line.passport_id(name)
    assert line.delete(made["passport_id"]).status_code == 200
    assert line.names == set()
    again = other.passport_id(name)
    assert again["passport_id"] != made["passport_id"]
    assert line.delete(made["passport_id"]).status_code == 404


@pytest.mark.rule("MAT-2")
def test_a_name_that_was_changed_away_is_free_again(stack: Stack) -> None:
    line, name = active_line(stack), new_name()
    made = line.passport_id(name)
    assert line.change(made["passport_id"], name=new_name()).status_code == 200
    assert line.add(name).status_code == 201


@pytest.mark.rule("MAT-3")
def test_a_line_has_five_ids_and_no_more(stack: Stack) -> None:
    line = active_line(stack)
    made = [line.passport_id() for _ in range(5)]
    assert line.refused(line.add(), "MAT-3")
    line.delete(made[0]["passport_id"])
    assert line.add().status_code == 201
    assert line.refused(line.add(), "MAT-3")


@pytest.mark.rule("MAT-4")
def test_the_cap_of_an_id_lies_within_its_lines(stack: Stack) -> None:
    line = active_line(stack)
    assert line.refused(line.add(monthly_cap=10001), "MAT-4")
    made = line.passport_id(monthly_cap=10000)["passport_id"]
    assert line.refused(line.change(made, monthly_cap=10001), "MAT-4")
    assert line.change(made, monthly_cap=0).json()["monthly_cap"] == 0
    assert line.change(made, monthly_cap=None).json()["monthly_cap"] is None


def test_a_change_of_nothing_is_malformed(stack: Stack) -> None:
    line = active_line(stack)
    made = line.passport_id()["passport_id"]
    for body in ({}, {"name": None}, {"password": None}, {"line_authentication": None}, {"name": "ab"}):
        assert line.change(made, **body).status_code == 422


@pytest.mark.rule("MAT-8")
def test_of_deletions_at_the_same_moment_one_is_made_and_the_others_find_nothing(stack: Stack) -> None:
    line = active_line(stack)
    for made in [line.passport_id()["passport_id"] for _ in range(5)]:
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(line.delete, [made] * 4))
        assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


def test_somebody_elses_ids_are_not_there(stack: Stack) -> None:
    line, other = active_line(stack), active_line(stack)
    theirs = other.passport_id()["passport_id"]
    wrong = Line(line.customer, other.contract_id)
    answers = [
        wrong.add(),
        wrong.get("/passport-ids"),
        wrong.get("/purchases"),
        wrong.change(theirs, monthly_cap=1),
        wrong.delete(theirs),
        # One's own line, but an ID of another.
        line.change(theirs, monthly_cap=1),
        line.delete(theirs),
        line.ask("restriction", passport_id=theirs),
        line.ask("unrestriction", passport_id=theirs),
        line.preview("restriction", passport_id=theirs),
        line.preview("unrestriction", passport_id=theirs),
        line.delete("i-nobody"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len(other.items("/passport-ids")) == 1


@pytest.mark.rule("MAT-1")
def test_a_rental_has_no_ids(stack: Stack) -> None:
    rental = stack.active_contract()
    answer = Line(rental.customer, rental.contract_id).add()
    assert (answer.status_code, answer.json()["rule"]) == (409, "MAT-1")


def test_a_line_that_is_not_open_yet_has_none(stack: Stack) -> None:
    line = active_line(stack)
    second = stack.call(
        "POST",
        "/v1/applications",
        line.customer.token,
        json={
            "product": "line",
            "line_type": "light",
            "applicant": line.read()["registered_data"] | {"kind": "individual"},
            "payment": {"method": "invoice"},
        },
    )
    assert second.status_code == 202, second.text
    not_open = Line(line.customer, second.json()["contract_id"])
    assert not_open.refused(not_open.add(), "CAL-4")


@pytest.mark.rule("MAT-8")
def test_deleting_an_id_says_what_to_finish_with_each_provider(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    line.item(made, 300, provider="Ongaku", item="Songs")
    line.item(made, 400, provider="Eiga", item="Films")
    line.item(other, 500, provider="Hon", item="Books")
    assert line.buy(made, 100, item="Once").status_code == 201
    answer = line.delete(made["passport_id"]).json()
    assert answer["passport_id"] == made["passport_id"]
    assert answer["finish_with"] == [
        {"provider": "Ongaku", "item": "Songs"},
        {"provider": "Eiga", "item": "Films"},
    ]
    assert len(line.items("/purchases")) == 4
    assert line.buy(made, 100).status_code == 403


@pytest.mark.rule("MAT-8")
def test_an_item_of_a_deleted_id_counts_this_month_and_no_other(stack: Stack) -> None:
    line = active_line(stack)
    made, other = line.passport_id(), line.passport_id()
    line.item(made, 6000)
    stack.at(day=range(4, 20))
    assert line.delete(made["passport_id"]).status_code == 200
    assert line.refused(line.buy(other, 4001), "MAT-4")
    stack.at(day=1, time="00:00:00")
    assert line.buy(other, 10000).status_code == 201


@pytest.mark.rule("COL-7")
def test_remembered_answers_forget_an_id_that_was_deleted(stack: Stack) -> None:
    line = active_line(stack)
    keys, bodies = [new_key(), new_key()], [{"name": new_name(), "password": PASSWORD} for _ in range(2)]

    def send(index: int) -> Any:
        return line.customer.post(
            f"{line.path}/passport-ids", bodies[index], headers={"Idempotency-Key": keys[index]}
        )

    gone, kept = send(0), send(1)
    assert line.delete(gone.json()["passport_id"]).status_code == 200
    assert send(0).status_code == 410
    again = send(1)
    assert (again.status_code, again.json()) == (201, kept.json())


@pytest.mark.rule("MAT-7", "COL-7")
def test_the_timeline_tells_of_ids_without_naming_them(stack: Stack) -> None:
    line = active_line(stack)
    passport = line.passport_id()
    assert line.change(passport["passport_id"], monthly_cap=100).status_code == 200
    assert line.change(passport["passport_id"], monthly_cap=-1).status_code == 422
    assert line.delete(passport["passport_id"]).status_code == 200
    told = [entry for entry in line.items("/timeline") if entry["what"].startswith("passport_id")]
    assert [entry["what"].rpartition("_")[2] for entry in told] == ["added", "changed", "deleted"]
    assert all(entry["by"] == "customer" for entry in told)
    assert passport["name"] not in str(told) and passport["passport_id"] not in str(told)

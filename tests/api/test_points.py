"""Points over HTTP: what is granted, shown, exchanged and refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime

import pytest
from sqlalchemy import delete, update

from store.ledger import PointRow, RunRow
from store.points_grant import ledger_row
from store.write import insert, table
from tests.club import exchange, for_bill, member, points
from tests.line import Line, active_line, on_an_open_day
from tests.stack import Rental, Stack, new_key


def after_grants(stack: Stack, line: Line, number: int) -> None:
    """Time goes on until so many grants have come."""
    while len(points(line)["lots"]) < number:
        stack.at(day=1, time="03:00:30")


@pytest.mark.rule("PNT-2")
@pytest.mark.rule("PNT-8")
def test_points_come_on_the_first_and_the_account_shows_them(stack: Stack) -> None:
    line = member(stack)
    assert points(line) == {"balance": 0, "lapsing_this_fiscal_year": 0, "lots": []}
    after_grants(stack, line, 1)
    now = stack.now()
    shown = points(line)
    fiscal_year = now.year if now.month >= 4 else now.year - 1
    assert shown == {
        "balance": 100,
        "lapsing_this_fiscal_year": 0,
        "lots": [{"granted_on": f"{now:%Y-%m}-01", "lapses_on": f"{fiscal_year + 3}-03-31", "left": 100}],
    }


@contextmanager
def late_grants(stack: Stack, line: Line) -> Iterator[None]:
    """As if the runs that grant had not come as far as this line yet."""
    lots, run = table(PointRow), table(RunRow)

    def are(state: str) -> None:
        with stack.engine.begin() as connection:
            connection.execute(update(run).where(run.c.job == "points-grant").values(state=state))

    with stack.engine.begin() as connection:
        connection.execute(delete(lots).where(lots.c.contract_id == line.contract_id))
    are("running")
    try:
        yield
    finally:
        are("done")


@pytest.mark.rule("PNT-8")
@pytest.mark.rule("PNT-10")
def test_who_looks_before_a_late_run_has_come_sees_what_it_will_grant(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    shown = points(line)
    with late_grants(stack, line):
        assert points(line) == shown
        assert for_bill(line, 100).status_code == 201


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("COL-5")
@pytest.mark.rule("PNT-10")
@pytest.mark.parametrize("kind", ["cancellation", "conversion"])
def test_what_a_late_run_owes_is_shown_before_an_end_and_a_look_at_it_outdates_no_consent(
    stack: Stack, kind: str
) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    on_an_open_day(stack)
    held, shown = points(line)["balance"], line.preview(kind).json()
    with late_grants(stack, line):
        assert line.preview(kind).json() == shown
        assert points(line)["balance"] == held
        assert line.preview(kind).json() == shown
    with late_grants(stack, line):
        answer = line.ask(kind, consent=shown["consent"])
    assert answer.status_code == 202, answer.text
    lost = [e["amount"] for e in answer.json()["effects"] if e["what"] == "points_forfeited"]
    assert lost == [held]


@pytest.mark.rule("PNT-6")
@pytest.mark.rule("PNT-7")
def test_a_bill_is_paid_from_anywhere_and_an_item_needs_the_line(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    paid = for_bill(line, 60)
    assert paid.status_code == 201, paid.text
    assert {name: paid.json()[name] for name in ("kind", "points", "balance")} == {
        "kind": "bill_payment",
        "points": 60,
        "balance": 40,
    }
    assert line.refused(exchange(line, from_line=False, kind="item", item="gift-coffee"), "PNT-7")
    assert line.refused(exchange(line, kind="item", item="gift-coffee"), "PNT-6")
    assert points(line)["balance"] == 40
    assert [one["what"] for one in line.items("/timeline")][-1] == "points_for_bill_payment"


@pytest.mark.rule("PNT-6")
def test_what_no_exchange_can_be_is_422(stack: Stack) -> None:
    line = member(stack)
    for body in (
        {"kind": "item", "item": "e-money"},
        {"kind": "cash", "points": 100},
        {"kind": "bill_payment", "points": 0},
        {"kind": "bill_payment", "points": "100"},
        {"kind": "bill_payment", "points": True},
        {"kind": "bill_payment"},
        {"kind": "item"},
        {},
    ):
        assert exchange(line, **body).status_code == 422, body
    assert line.refused(for_bill(line, 5001), "PNT-6")
    assert line.refused(for_bill(line, 1), "PNT-6")


def test_a_rental_has_no_points_to_exchange(rental: Rental) -> None:
    path = f"{rental.path}/point-exchanges"
    assert rental.customer.post(path, {"kind": "bill_payment", "points": 1}).status_code == 404


@pytest.mark.rule("PNT-7")
def test_nobody_exchanges_points_for_the_customer(stack: Stack) -> None:
    line = member(stack)
    path, body = f"{line.path}/point-exchanges", {"kind": "bill_payment", "points": 1}
    for token in (stack.operator_token, stack.provider_token):
        assert stack.call("POST", path, token, json=body).status_code == 403


@pytest.mark.rule("PNT-7")
def test_with_a_registered_key_exchanges_need_no_line(stack: Stack) -> None:
    line = member(stack)
    path = f"{line.path}/authentication-keys"
    wrong = line.customer.post(f"{path}/registration", {"authentication_key": "AAAABBBBCCCC"})
    assert line.refused(wrong, "PNT-7")
    assert line.customer.post(path).status_code == 201
    letter = stack.mailed("authentication_key", line.contract_id)
    assert letter["channel"] == "post"
    assert line.refused(exchange(line, from_line=False, kind="item", item="router"), "PNT-7")
    key = {"authentication_key": letter["fields"]["authentication_key"]}
    assert line.customer.post(f"{path}/registration", key).status_code == 201
    assert line.customer.post(f"{path}/registration", key).status_code == 201
    no = exchange(line, from_line=False, kind="item", item="router")
    assert line.refused(no, "PNT-6"), "only points are missing now"
    whats = [one["what"] for one in line.items("/timeline")]
    assert whats[-2:] == ["authentication_key_issued", "authentication_key_registered"]


@pytest.mark.rule("PNT-10")
def test_the_same_exchange_again_spends_nothing(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    key = new_key()
    first, again = for_bill(line, 30, key=key), for_bill(line, 30, key=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert points(line)["balance"] == 70


@pytest.mark.rule("PNT-5")
def test_many_exchanges_at_once_spend_no_point_twice(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    line.customer.token  # noqa: B018  signed in once, before they all begin
    with ThreadPoolExecutor(6) as threads:
        answers = [one.result() for one in [threads.submit(for_bill, line, 30) for _ in range(6)]]
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 3
    assert points(line)["balance"] == 10


@pytest.mark.rule("COL-4")
@pytest.mark.rule("COL-5")
@pytest.mark.rule("PNT-9")
def test_a_conversion_shows_the_points_and_takes_them_with_the_ids(stack: Stack) -> None:
    line = member(stack)
    line.passport_id()
    after_grants(stack, line, 1)
    on_an_open_day(stack)
    (lost,) = [e for e in line.preview("conversion").json()["effects"] if e["what"] == "points_forfeited"]
    assert (lost["at"], lost["amount"]) == (None, points(line)["balance"])
    number = line.convert()["procedure_id"]
    assert points(line) == {"balance": 0, "lapsing_this_fiscal_year": 0, "lots": []}
    assert line.items("/passport-ids") == []
    (told,) = [one["text"] for one in line.items("/timeline") if one["what"] == "points_forfeited"]
    assert told == f"{lost['amount']}ポイントが失効しました。"
    certificate = stack.mailed("deletion_certificate", line.contract_id)["fields"]
    assert (certificate["points"], certificate["passport_ids"]) == (str(lost["amount"]), "1")
    kept = [e["amount"] for e in line.procedure(number)["effects"] if e["what"] == "points_forfeited"]
    assert kept == [lost["amount"]]
    assert line.refused(for_bill(line, 1), "CAL-4")
    for path, body in (("", {}), ("/registration", {"authentication_key": "AAAABBBBCCCC"})):
        assert line.refused(line.customer.post(f"{line.path}/authentication-keys{path}", body), "CAL-4")


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("PNT-9")
def test_a_cancelled_line_keeps_its_points_to_its_last_day(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    stack.at(day=range(2, 14))
    (lost,) = [e for e in line.preview("cancellation").json()["effects"] if e["what"] == "points_forfeited"]
    assert (lost["at"][8:10], lost["amount"]) == ("01", 100)
    line.agree("cancellation")
    assert for_bill(line, 10).status_code == 201
    stack.at(day=1, time="04:00:00")
    assert points(line)["balance"] == 0
    assert line.refused(for_bill(line, 1), "CAL-4")


def test_the_catalogue_lists_what_points_go_for(stack: Stack) -> None:
    items = stack.call("GET", "/v1/catalogue").json()["point_items"]
    assert {"item": "gift-coffee", "name": "コーヒー詰め合わせ", "points": 1500} in items


def test_who_is_no_member_has_no_points(stack: Stack) -> None:
    line = active_line(stack)
    assert points(line)["balance"] == 0
    assert line.refused(for_bill(line, 1), "PNT-6")


@pytest.mark.rule("PNT-8")
def test_on_the_15th_the_balance_is_mailed_to_where_the_member_wants_it(stack: Stack) -> None:
    line = member(stack)
    after_grants(stack, line, 1)
    now = stack.at(day=15, time="09:00:30")
    mails = stack.outbox(kind="points_balance", contract_id=line.contract_id)
    (mail,) = [one for one in mails if datetime.fromisoformat(one["at"]).date() == now.date()]
    assert mail["to"] == "club@example.jp"
    shown = points(line)
    told = {name: str(shown[name]) for name in ("balance", "lapsing_this_fiscal_year")}
    assert told == {name: mail["fields"][name] for name in told}


@pytest.mark.rule("PNT-8")
def test_in_january_whoever_has_points_about_to_lapse_is_warned_and_others_are_not(stack: Stack) -> None:
    line, old = member(stack), member(stack)
    after_grants(stack, line, 1)
    year = stack.at(day=9, month=1).year
    holds(stack, old, 70, date(year - 3, 4, 1), date(year, 3, 31))
    shown = points(old)
    stack.at(day=10, month=1, time="09:00:30")
    (mail,) = stack.outbox(kind="points_warning", contract_id=old.contract_id)
    assert mail["to"] == "club@example.jp"
    told = {name: mail["fields"][name] for name in ("balance", "lapsing_this_fiscal_year", "lapses_on")}
    assert told == {
        "balance": str(shown["balance"]),
        "lapsing_this_fiscal_year": "70",
        "lapses_on": f"{year}-03-31",
    }
    assert stack.outbox(kind="points_warning", contract_id=line.contract_id) == []


def holds(stack: Stack, line: Line, number: int, granted_on: date, lapses_on: date) -> None:
    """Points of years ago, as a line that was brought in has them."""
    row = ledger_row(line.contract_id, granted_on, lapses_on, "grant", "", number, stack.now())
    with stack.engine.begin() as connection:
        insert(connection, PointRow, [row])

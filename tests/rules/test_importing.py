"""A row of another system's contracts is judged as an application would be, and says what it leads to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from rules import importing, policy
from rules.calendar import midnight
from rules.decision import decide
from rules.importing import Brought, Rejected
from rules.refusal import Refusal
from tests.rules.cases import CARD, at

ON = date(2026, 11, 22)
PERSON = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
}
DATES = {"applied_on": "2024-03-10", "in_force_from": "2024-04-01"}
CARD_PAID = {"payment_method": "credit_card", "payment_reference": "card_1"}
RENTAL = {"source_id": "R-1", "product": "rental", "plan": "wifi-100", "course": "standard"}
RENTAL |= PERSON | DATES | CARD_PAID
LINE = {"source_id": "L-1", "product": "line", "line_type": "next", "customer_id": "CAF0000000001"}
LINE |= PERSON | DATES | {"payment_method": "invoice"}


MEMBER = {"member_since": "2023-03-01", "member_email": "hanako@example.jp"}
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$" + "a" * 43


def rental(**changed: str) -> Brought:
    return importing.read(RENTAL | changed, ON)


def line(**changed: str) -> Brought:
    return importing.read(LINE | changed, ON)


def no(row: dict[str, str], **changed: str) -> str:
    with pytest.raises(Rejected) as told:
        importing.read(row | changed, ON)
    return str(told.value)


def test_it_is_in_force_by_the_terms_of_today() -> None:
    found = rental(support_option="support_premium").contract
    assert (found.state, found.in_force_from, found.policy) == (
        "active",
        date(2024, 4, 1),
        policy.current_digest(),
    )
    assert [(o.option, o.first, o.cover_from) for o in found.options] == [
        ("support_premium", date(2024, 4, 1), date(2024, 6, 1))
    ]
    assert found.procedures == [] and found.number == 1
    assert line().contract.monthly_cap == policy.current().line.monthly_cap


def test_the_same_name_is_known_again_and_does_not_show_in_the_contract() -> None:
    assert rental().source == rental(name="別人").source
    assert rental().source != rental(source_id="R-2").source
    assert rental().contract.contract_id != rental(source_id="R-2").contract.contract_id
    assert "R-1" not in rental().contract.model_dump_json()


def test_contracts_stand_in_the_order_of_the_file() -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    rows = [RENTAL | {"source_id": f"R-{number}"} for number in range(20)]
    found = [
        importing.read(row, ON, at + timedelta(milliseconds=line)).contract.contract_id
        for line, row in enumerate(rows)
    ]
    assert found == sorted(found)


def test_nothing_of_the_person_is_in_the_snapshot() -> None:
    told = rental(login_id="hanako", password="secret-1").contract.model_dump_json()
    assert not [
        value for value in (*PERSON.values(), "hanako", "secret-1") if value in told and value != "individual"
    ]


@pytest.mark.rule("RNT-14")
def test_whoever_applied_by_october_2019_changes_the_card_on_a_page_of_their_own() -> None:
    old = rental(applied_on="2019-10-31", legacy="true").contract
    new = rental(applied_on="2019-11-01", legacy="FALSE").contract
    now = at("2026-11-23 10:00:00")
    refused = decide(old, "payment_method", CARD, now, policy.current())
    assert isinstance(refused, Refusal) and refused.reason == "legacy_card_page"
    assert decide(new, "payment_method", CARD, now, policy.current()) == []


def test_one_that_is_ending_goes_on_to_its_end() -> None:
    found = rental(in_force_to="2026-11-30", support_option="support").contract
    (pending,) = found.procedures
    assert (found.state, pending.kind, pending.state) == ("ending", "cancellation", "accepted")
    assert pending.due_at == midnight(date(2026, 12, 1))
    assert found.options[0].last == date(2026, 11, 30)


@pytest.mark.rule("RNT-7")
def test_one_that_is_ending_within_its_twelve_months_is_told_what_it_forfeits() -> None:
    found = rental(
        course="depocomi", applied_on="2026-02-01", in_force_from="2026-02-01", in_force_to="2026-11-30"
    )
    assert {effect.what for effect in found.effects} == {
        "contract_ends",
        "deposit_forfeited",
        "device_return_due",
    }


def test_every_fault_of_a_row_is_named_and_nothing_of_what_stands_in_it() -> None:
    told = no(RENTAL, plan="wifi-1", email="hanako at home", phone="+81 3", name="", points="")
    assert [part.partition(":")[0] for part in told.split("; ")] == ["plan", "name", "email", "phone"]
    assert "hanako" not in told and "+81" not in told


@pytest.mark.parametrize(
    ("row", "changed", "said"),
    [
        (RENTAL, {"line_type": "next"}, "line_type: only for a line"),
        (RENTAL, {"course": ""}, "course: needed for a rental"),
        (LINE, {"customer_id": ""}, "customer_id: needed for a line"),
        (LINE, {"customer_id": "CAF1"}, "customer_id: not written as it has to be"),
        (RENTAL, {"payment_method": "invoice", "payment_reference": ""}, "RNT-15"),
        (LINE, {"payment_method": "atone"}, "LIN-2"),
        (RENTAL, {"payment_reference": ""}, "payment_reference: comes with credit_card"),
        (LINE, {"payment_reference": "card_1"}, "payment_reference: comes with credit_card"),
        (RENTAL, {"in_force_from": "2026-11-23"}, "in_force_from: not after 2026-11-22"),
        (RENTAL, {"applied_on": "2024-04-02"}, "applied_on: not after in_force_from"),
        (RENTAL, {"applied_on": "2024/03/10"}, "applied_on: a day like"),
        (RENTAL, {"applied_on": "1234567890"}, "applied_on: a day like"),
        (RENTAL, {"applied_on": "0001-01-01"}, "applied_on: a day like 2026-04-01, from 1900 to 2199"),
        (RENTAL, {"in_force_to": "9999-12-31"}, "in_force_to: a day like 2026-04-01, from 1900"),
        (RENTAL, {"in_force_to": "2026-12-30"}, "in_force_to: the last day of a month"),
        (RENTAL, {"in_force_to": "2026-10-31"}, "in_force_to: the last day of a month, not before"),
        (RENTAL, {"legacy": "true"}, "legacy: does not agree with applied_on"),
        (RENTAL, {"login_id": "hanako"}, "login_id: comes with password"),
        (
            RENTAL,
            {"login_id": "h", "password": "$2b$12$abcdefgh"},
            "password: a hash that is none of Argon2id",
        ),
        (RENTAL, {"login_id": "h", "password": f" {HASH}"}, "password: a hash that is none of Argon2id"),
        (RENTAL, {"support_option_from": "2024-05-01"}, "support_option_from: comes with support_option"),
        (LINE, {"member_since": "2024-05-01"}, "member_since: comes with member_email"),
        (LINE, {"points": "2026-04-01:200"}, "points: a member's only"),
        (LINE, {"monthly_cap": "300001"}, "monthly_cap: from 0 to 300000"),
        (LINE, {"monthly_cap": "50_000"}, "monthly_cap: a number in digits alone"),
        (LINE, {"monthly_cap": "50000.0"}, "monthly_cap: a number in digits alone"),
        (LINE, {"monthly_cap": "+50000"}, "monthly_cap: a number in digits alone"),
        (LINE, {"two_year_discount": "perhaps"}, "two_year_discount: true or false"),
        (LINE, {"two_year_discount": "1"}, "two_year_discount: true or false"),
        (RENTAL, {"support_option_changed": "y"}, "support_option_changed: true or false"),
        (RENTAL, {"braille": "off"}, "braille: true or false"),
        (RENTAL, {"bill_mail": "0"}, "bill_mail: true or false"),
        (RENTAL, {"legacy": "no"}, "legacy: true or false"),
        (LINE, MEMBER | {"member_since": "2024-03-31"}, "member_since: from in_force_from to 2026-11-22"),
        (LINE, MEMBER | {"member_since": "2026-11-23"}, "member_since: from in_force_from to 2026-11-22"),
        (RENTAL, {"name": "花\udc8e"}, "name: not in the file's encoding"),
    ],
)
def test_a_row_is_refused_where(row: dict[str, str], changed: dict[str, str], said: str) -> None:
    assert said in no(row, **changed)


@pytest.mark.rule("PNT-4")
@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("2023-03-01:100", "points: the lot of 2023-03-01 has lapsed"),
        ("2026-12-01:100", "points: no lot after 2026-11-22"),
        ("2026-04-02:100", "points: 2026-04-02 is no 1st"),
        ("2023-02-01:100", "points: the lot of 2023-02-01 is of before member_since"),
        ("2026-04-01:0", "lots like"),
        ("2026-04-01:1;2026-04-01:2", "each day once"),
        ("2026-04-01", "lots like"),
        ("2026-02-30:5", "day is out of range"),
    ],
)
def test_points_are_lots_that_have_not_lapsed(points: str, said: str) -> None:
    member = MEMBER | {"in_force_from": "2023-02-10", "applied_on": "2023-02-10"}
    assert said in no(LINE | member, points=points)
    assert line(**member, points=" 2024-04-01:7; 2026-11-01:100;").row.points == {
        date(2024, 4, 1): 7,
        date(2026, 11, 1): 100,
    }

"""Registered data, how notices come, the timeline, manuals: what a customer sees and changes without a procedure."""

from __future__ import annotations

import io
from datetime import datetime
from itertools import pairwise

import pypdf
import pytest

from tests.line import active_line
from tests.stack import APPLICANT, Rental, Stack


@pytest.mark.rule("RNT-17")
@pytest.mark.parametrize("day", [15, 16, 25, 31])
def test_address_mail_and_telephone_change_on_any_day(stack: Stack, day: int) -> None:
    rental = stack.active_contract()
    stack.at(day=day)
    new = {
        "email": "new@example.jp",
        "phone": "09012345678",
        "postal_code": "5300001",
        "address": "大阪市北区",
    }
    answer = rental.customer.call("PATCH", f"{rental.path}/registered-data", json=new)
    assert answer.status_code == 200
    assert answer.json() == {"name": APPLICANT["name"], "kana": APPLICANT["kana"], **new}
    assert rental.read()["registered_data"] == answer.json()


@pytest.mark.rule("RNT-17")
def test_what_is_not_named_stays_and_the_timeline_says_what_changed_but_not_to_what(stack: Stack) -> None:
    rental = stack.active_contract()
    answer = rental.customer.call("PATCH", f"{rental.path}/registered-data", json={"phone": "0671234567"})
    assert answer.json()["email"] == APPLICANT["email"]
    (entry,) = [entry for entry in rental.items("/timeline") if entry["what"] == "data_changed"]
    assert "0671234567" not in str(entry)
    assert entry["by"] == "customer"


def test_the_next_mail_goes_to_the_new_address_in_the_language_chosen(stack: Stack) -> None:
    rental = stack.active_contract()
    rental.customer.call("PATCH", f"{rental.path}/registered-data", json={"email": "elsewhere@example.jp"})
    notices = rental.customer.call(
        "PATCH", f"{rental.path}/notices", json={"language": "en", "braille": True}
    )
    assert notices.json() == {"language": "en", "braille": True, "bill_mail": True}
    assert [entry["what"] for entry in rental.items("/timeline")][-2:] == ["data_changed", "notices_changed"]
    stack.at(day=3)
    rental.agree("cancellation")
    stack.at(day=1)
    stack.at(day=12)
    mail = stack.mailed("return_reminder", rental.contract_id)
    assert mail["to"] == "elsewhere@example.jp"
    assert mail["subject"].isascii()
    stack.do("receive_device", rental.contract_id)


def test_the_timeline_tells_everything_oldest_first_in_both_languages(stack: Stack) -> None:
    rental = stack.active_contract(support_option="support")
    stack.at(day=5)
    procedure = rental.agree("cancellation")
    stack.at(day=1)
    entries = rental.items("/timeline")
    assert all(
        entry.keys() == {"at", "recorded_at", "what", "by", "procedure_id", "text"} for entry in entries
    )
    moments = [datetime.fromisoformat(entry["at"]) for entry in entries]
    assert moments == sorted(moments)
    assert all(
        entry["at"].endswith("+09:00") and entry["recorded_at"].endswith("+09:00") for entry in entries
    )
    told = [entry["what"] for entry in entries]
    for earlier, later in pairwise(STORY):
        assert told.index(earlier) < told.index(later)
    assert {entry["by"] for entry in entries} >= {"customer", "operator:operator", "calendar"}
    assert any(entry["procedure_id"] == procedure["procedure_id"] for entry in entries)
    english = rental.get("/timeline", headers={"Accept-Language": "en"}).json()["items"]
    assert all(entry["text"].isascii() for entry in english), english
    assert not any(entry["text"].isascii() for entry in entries)


STORY = (
    "application_accepted",
    "contract_preparing",
    "contract_active",
    "cancellation_accepted",
    "contract_ended",
)


def test_an_operator_sees_the_customer_the_open_tasks_and_the_same_timeline(stack: Stack) -> None:
    rental = stack.preparing_contract()
    seen = stack.operate("GET", f"/contracts/{rental.contract_id}").json()
    assert seen["customer"] == {**APPLICANT, "language": "ja"}
    assert [task["kind"] for task in seen["tasks"]] == ["report_shipped"]
    told = stack.operate("GET", f"/contracts/{rental.contract_id}/timeline").json()
    assert told == rental.read("/timeline")


def test_an_operator_finds_contracts_by_what_the_customer_says(stack: Stack) -> None:
    rental = stack.preparing_contract(
        applicant={"name": "鶴見 100%_六郎", "email": "Rokuro.Tsurumi@example.jp", "phone": "0459998888"}
    )
    for query in (rental.contract_id, "0%_六", "rokuro.tsurumi", "0459998888"):
        found = stack.operate("GET", "/contracts", params={"query": query}).json()["items"]
        assert rental.contract_id in [contract["contract_id"] for contract in found], query
        assert len(found) < 20, query


def test_an_operator_finds_whoever_says_the_customer_id_or_the_login_id(stack: Stack) -> None:
    rental, line = stack.preparing_contract(), active_line(stack)
    for contract in (rental, line):
        query = contract.customer.login_id
        (found,) = stack.operate("GET", "/contracts", params={"query": query}).json()["items"]
        assert found["contract_id"] == contract.contract_id, query


@pytest.mark.rule("RNT-1")
@pytest.mark.parametrize("words", ["ja", "en"])
def test_manuals_can_be_downloaded_and_read(stack: Stack, rental: Rental, words: str) -> None:
    headers = {"Accept-Language": words}
    manuals = rental.customer.get("/v1/manuals", headers=headers).json()["items"]
    assert [manual["manual"] for manual in manuals] == ["wifi-start", "device-return"]
    for manual in manuals:
        assert manual["name"].isascii() == (words == "en")
        answer = rental.customer.get(manual["link"], headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
        assert manual["name"] in text
    assert rental.customer.get("/v1/manuals/nothing.pdf").status_code == 404

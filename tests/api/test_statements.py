"""Statements over HTTP: listed, one by one, as PDF, told by mail or letter, and receipts for what cards paid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rules import jobs, policy
from rules.calendar import day_of, first_of_month
from tests.line import Line, active_line
from tests.stack import CARD, Rental, Stack, eventually


def next_month(stack: Stack, day: int = 1, time: str = "01:00:00") -> str:
    """Goes there; the month before it, which is closed now."""
    first = first_of_month(day_of(stack.now()), 1)
    stack.move(datetime.fromisoformat(f"{first.replace(day=day)}T{time}+09:00"))
    return jobs.month(first_of_month(first, -1))


def text_of(answer: Any) -> bytes:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return bytes(answer.content)


@pytest.fixture
def line(stack: Stack) -> Line:
    """A line of a new month, on whose bill two purchases are."""
    stack.at(day=2)
    found = active_line(stack)
    passport = found.passport_id()
    assert found.buy(passport, 500, item="Film 001").status_code == 201
    found.item(passport, 800, item="Series", provider="Anime World")
    return found


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("BIL-9")
@pytest.mark.rule("MAT-6")
@pytest.mark.rule("MAT-11")
def test_a_line_s_month_on_its_statement(stack: Stack, line: Line) -> None:
    running = jobs.month(day_of(stack.now()))
    assert line.get(f"/statements/{running}").status_code == 404
    assert line.items("/statements") == []
    assert next_month(stack) == running
    shown = line.read(f"/statements/{running}")
    assert [
        (one["kind"], one["item"], one["provider"], one["amount"], one["tax_class"]) for one in shown["lines"]
    ] == [
        ("monthly_fee", "next", None, 5200, "standard"),
        ("purchase", "Series", "Anime World", 800, "included"),
        ("purchase", "Film 001", "Eiga Channel", 500, "included"),
    ]
    assert shown["tax"] == [
        {"tax_class": "standard", "base": 5200, "rate": 10, "amount": 520},
        {"tax_class": "included", "base": 1300, "rate": 0, "amount": 0},
    ]
    assert (shown["subtotal"], shown["points_used"], shown["total_with_tax"]) == (6500, 0, 7020)
    assert (shown["invoice"], shown["payment_method"], shown["paid_on"]) == ("line", "account_transfer", None)
    due_on = first_of_month(jobs.following(running), 1) - timedelta(days=1)
    assert shown["due_on"] == str(due_on)
    brief = {name: shown[name] for name in ("period", "total_with_tax", "due_on", "paid_on")}
    assert line.items("/statements") == [brief]
    seen = stack.operate("GET", f"/contracts/{line.contract_id}/statements/{running}")
    assert seen.json() == shown
    assert stack.operate("GET", f"/contracts/{line.contract_id}/statements").json()["items"] == [brief]


@pytest.mark.rule("BIL-4")
def test_its_texts_and_its_pdf_are_in_the_reader_s_language(stack: Stack, line: Line) -> None:
    period = next_month(stack)
    english = line.get(f"/statements/{period}", headers={"Accept-Language": "en"}).json()
    assert [one["text"] for one in english["lines"]] == [
        "Monthly fee: Hikari Next",
        "Series (Anime World)",
        "Film 001 (Eiga Channel)",
    ]
    japanese = line.read(f"/statements/{period}")
    assert japanese["lines"][0]["text"] == "月額料金　光ネクスト"
    pages = {
        words: text_of(line.get(f"/statements/{period}.pdf", headers={"Accept-Language": words}))
        for words in ("ja", "en")
    }
    assert all(page.startswith(b"%PDF") for page in pages.values()) and pages["ja"] != pages["en"]
    assert text_of(line.get(f"/statements/{period}.pdf")) == pages["ja"]
    assert (
        text_of(stack.operate("GET", f"/contracts/{line.contract_id}/statements/{period}.pdf")) == pages["ja"]
    )


@pytest.mark.rule("BIL-8")
def test_a_monthly_item_stands_on_the_next_statement_too_and_what_was_bought_once_does_not(
    stack: Stack, line: Line
) -> None:
    next_month(stack)
    period = next_month(stack)
    bought = [one["item"] for one in line.read(f"/statements/{period}")["lines"] if one["kind"] == "purchase"]
    assert bought == ["Series"]
    assert line.items("/statements")[0]["period"] == period


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "26-01", "x", "2026-1", "FY2026", "9999-12"])
def test_what_is_no_closed_month_has_no_statement(rental: Rental, month: str) -> None:
    assert rental.get(f"/statements/{month}").status_code == 404
    assert rental.get(f"/statements/{month}.pdf").status_code == 404


@pytest.mark.rule("BIL-8")
def test_the_bill_is_told_by_mail_where_that_is_wanted(stack: Stack, line: Line) -> None:
    quiet = active_line(stack)
    assert quiet.customer.call("PATCH", f"{quiet.path}/notices", json={"bill_mail": False}).status_code == 200
    by_post = active_line(stack, payment={"method": "invoice"})
    period = next_month(stack)
    mail = eventually(lambda: stack.outbox(kind="statement", contract_id=line.contract_id))[-1]
    shown = line.read(f"/statements/{period}")
    assert mail["channel"] == "mail"
    assert mail["fields"]["billing_number"] == shown["billing_number"]
    assert mail["fields"]["total_with_tax"] == str(shown["total_with_tax"])
    assert mail["at"].startswith(f"{jobs.following(period)}T00:10:00")
    assert "Film 001" not in mail["text"]
    (letter,) = stack.outbox(kind="statement", contract_id=by_post.contract_id)
    assert letter["channel"] == "post"
    for row in (
        "月額料金　光ネクスト  税抜  5,200円",
        "消費税 10%　（対象 5,200円）  520円",
        "ご請求金額（税込）  5,720円",
    ):
        assert row in letter["text"]
    assert stack.outbox(kind="statement", contract_id=quiet.contract_id) == []


@pytest.mark.rule("RNT-16")
def test_a_receipt_is_there_once_the_card_has_paid(stack: Stack) -> None:
    stack.at(day=2)
    rental = stack.active_contract(payment=CARD)
    running = jobs.month(day_of(stack.now()))
    assert rental.get(f"/receipts/{running}.pdf").status_code == 404
    assert next_month(stack) == running
    assert rental.get(f"/receipts/{running}.pdf").status_code == 404
    stack.at(day=26)
    assert rental.read(f"/statements/{running}")["paid_on"] is not None
    receipts = {
        words: text_of(rental.get(f"/receipts/{running}.pdf", headers={"Accept-Language": words}))
        for words in ("ja", "en")
    }
    assert receipts["ja"] != receipts["en"]
    assert rental.get(f"/receipts/{jobs.month(day_of(stack.now()))}.pdf").status_code == 404


@pytest.mark.rule("BIL-1")
def test_twelve_closed_months_are_shown(stack: Stack, line: Line) -> None:
    first = jobs.month(day_of(stack.now()))
    for _ in range(policy.load().statement.shown_months):
        next_month(stack)
    months = [one["period"] for one in line.items("/statements")]
    assert (len(months), months[-1], months) == (12, first, sorted(months, reverse=True))
    assert line.get(f"/statements/{first}").status_code == 200
    page = line.get("/statements", params={"limit": 5}).json()
    following = line.get("/statements", params={"limit": 20, "cursor": page["next_cursor"]}).json()
    assert [one["period"] for one in page["items"] + following["items"]] == months
    next_month(stack)
    assert line.get(f"/statements/{first}").status_code == 404
    assert line.get(f"/statements/{first}.pdf").status_code == 404
    assert first not in [one["period"] for one in line.items("/statements")]


def told(shown: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one["kind"], one["item"], one["amount"]) for one in shown["lines"]]


def of_month(stack: Stack, contract: Rental | Line, period: str) -> list[dict[str, Any]]:
    """What was sent of that month's statement."""
    sent = stack.outbox(kind="statement", contract_id=contract.contract_id)
    return [one for one in sent if one["fields"]["period"] == period]


@pytest.mark.rule("RNT-7")
@pytest.mark.rule("RNT-10")
@pytest.mark.rule("RNT-18")
def test_a_plan_change_and_a_device_that_comes_back_late_on_the_statements_of_both_contracts(
    stack: Stack,
) -> None:
    stack.at(day=3)
    old = stack.active_contract(course="depocomi")
    change = old.agree("plan_change", plan="wifi-50", course="standard")
    new = old.other(change["successor_contract_id"])
    first = next_month(stack)
    assert told(old.read(f"/statements/{first}")) == [
        ("deposit", "deposit", 20000),
        ("monthly_fee", "wifi-100", 3500),
        ("deposit", "deposit_forfeited", 0),
    ]
    second = next_month(stack)
    assert told(old.read(f"/statements/{second}")) == [("device", "device", 20000)]
    assert old.read(f"/statements/{second}")["total_with_tax"] == 22000
    assert told(new.read(f"/statements/{second}")) == [
        ("fee", "plan_change", 1500),
        ("monthly_fee", "wifi-50", 2800),
    ]
    assert new.get(f"/statements/{first}").status_code == 404
    stack.do("receive_device", old.contract_id)
    third = next_month(stack)
    taken_back = old.read(f"/statements/{third}")
    assert told(taken_back) == [("correction", "device", -20000)]
    assert (taken_back["total_with_tax"], taken_back["paid_on"]) == (-22000, str(jobs.following(third)))
    mail = eventually(lambda: of_month(stack, old, third))[0]
    assert "-22,000円" in mail["text"] and "お支払いいただく金額はございません" in mail["text"]
    assert "期限" not in mail["text"]


@pytest.mark.rule("MAT-6")
@pytest.mark.rule("MAT-9")
def test_purchases_come_separately_by_provider_and_a_restricted_id_s_item_is_settled_no_more(
    stack: Stack,
) -> None:
    stack.at(day=4)
    line = active_line(stack, payment={"method": "isp_collection"})
    passport = line.passport_id()
    line.item(passport, 800, item="Series", provider="Anime World")
    period = next_month(stack)
    shown = line.read(f"/statements/{period}")
    assert (shown["invoice"], shown["total_with_tax"]) == ("separate", 5720 + 800)
    (mail,) = eventually(lambda: of_month(stack, line, period))
    text = mail["text"]
    assert (
        text.index("月額料金　光ネクスト")
        < text.index("別立て")
        < text.index("Series（Anime World）  税込  800円")
    )
    assert line.ask("restriction", passport_id=passport["passport_id"]).status_code == 202
    # Settled on the 1st of this month already.
    assert ("purchase", "Series", 800) in told(line.read(f"/statements/{next_month(stack)}"))
    period = next_month(stack)
    shown = line.read(f"/statements/{period}")
    assert (told(shown), shown["invoice"]) == ([("monthly_fee", "next", 5200)], "line")
    text_of(line.get(f"/statements/{period}.pdf"))

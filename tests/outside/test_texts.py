"""Every kind of notice reads well in both languages, and a text that could not is refused at start."""

import copy
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outside import texts
from outside.document import Table
from outside.notice import KINDS, Language, Notice
from tests.outside.notices import AT, HANAKO, notice

RAW: dict[str, Any] = tomllib.loads((Path(texts.__file__).parent / "texts.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", ["ja", "en", "both"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_in_every_language_with_all_its_fields(kind: str, language: Language) -> None:
    text = texts.render(notice(kind, language=language))
    assert "{" not in text.subject + text.body
    assert text.subject == text.subject.strip() != ""
    assert HANAKO.name in text.body
    for name, spec in texts.fields_of(kind).items():
        assert spec or notice(kind).fields[name] in text.body


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_in_both_languages_at_once_unless_asked(kind: str) -> None:
    assert "Dear" not in texts.render(notice(kind, language="ja")).body
    assert " 様" not in texts.render(notice(kind, language="en")).body


def test_bil_4_both_languages_stand_in_one_text_japanese_first() -> None:
    text = texts.render(notice("suspension_notice", language="both"))
    assert text.subject == "ご利用停止のご予告 / Notice of suspension"
    assert text.body.index("髙﨑 花子 様") < text.body.index("Dear 髙﨑 花子")


@pytest.mark.parametrize(
    ("language", "written"),
    [("ja", ["2026年7月10日を過ぎ", "18,000円(税抜)"]), ("en", ["on 10 July 2026,", "¥18,000 plus tax"])],
)
def test_dates_and_sums_are_written_as_the_language_writes_them(
    language: Language, written: list[str]
) -> None:
    body = texts.render(notice("return_reminder", language=language)).body
    assert all(words in body for words in written)


@pytest.mark.rule("RNT-10")
def test_a_device_that_arrives_on_the_day_of_the_charge_is_not_said_to_be_in_time() -> None:
    fields = notice("return_reminder").fields | {"charge_on": "2026-07-25"}
    said = texts.render(notice("return_reminder", language="both", fields=fields)).body
    assert "2026年7月25日の前日までに" in said and "before 25 July 2026," in said


@pytest.mark.rule("BIL-3")
@pytest.mark.rule("BIL-4")
@pytest.mark.parametrize(
    ("total", "ja", "en"), [("0", "：0円", ": ¥0"), ("-22000", "：-22,000円", ": -¥22,000")]
)
def test_a_bill_of_nothing_or_less_asks_for_no_payment_and_names_no_day(total: str, ja: str, en: str) -> None:
    fields = notice("statement").fields | {"total_with_tax": total}
    for language, written, asking in (("ja", ja, ("期限", "7月10日")), ("en", en, ("Due", "10 July"))):
        body = texts.render(notice("statement", language=language, fields=fields)).body
        assert written in body and not any(word in body for word in asking)
    owing = texts.render(notice("statement", language="both")).body
    assert "お支払期限：2026年7月10日" in owing and "Due by: 10 July 2026" in owing


def test_a_company_is_addressed_as_one() -> None:
    company = replace(HANAKO, name="株式会社髙﨑", kind="corporate")
    said = texts.render(notice("suspension_notice", language="both", to=company)).body
    assert said.startswith("株式会社髙﨑 御中\n") and "Dear 株式会社髙﨑,\n" in said


def test_details_stand_below_the_text_row_by_row() -> None:
    rows = Table([("Date", "Amount"), ("06/01", "¥5,200")], [1, 1])
    text = texts.with_details(notice("statement", language="en", details=("Your line", rows)))
    assert text.body.endswith("Keiyaku Customer Service\n\nYour line\n\nDate  Amount\n06/01  ¥5,200")


def test_an_instant_is_written_in_japan_time() -> None:
    link = notice("membership_link", fields={"link": "x", "expires_at": "2026-07-10T16:00:00+00:00"})
    assert "2026年7月11日 01:00" in texts.render(link).body


def test_braces_in_what_a_customer_is_called_stay_what_they_are() -> None:
    assert "{name} 様" in texts.render(notice(to=type(HANAKO)("{name}"))).body


def test_a_missing_field_is_named_and_nothing_else_told() -> None:
    with pytest.raises(texts.BadField, match=r"^login: the field password is missing$"):
        texts.render(notice(fields={"login_id": "secret"}))


def test_a_field_of_the_wrong_form_is_named_and_not_shown() -> None:
    bad = notice("device_charge", fields={"due_on": "tomorrow", "charged_on": "2026-01-01", "amount": "1"})
    with pytest.raises(texts.BadField, match=r"^device_charge: the field due_on is no date$"):
        texts.render(bad)


def broken(change: str) -> dict[str, Any]:
    raw = copy.deepcopy(RAW)
    match change:
        case "a language is missing":
            del raw["login"]["en"]
        case "a kind is missing":
            del raw["login"]
        case "a kind nobody knows":
            raw["newsletter"] = raw["login"]
        case "a field in one language only":
            raw["login"]["en"]["body"] += "{extra}"
        case "the same field written in two ways":
            raw["device_charge"]["en"]["body"] = raw["device_charge"]["en"]["body"].replace(
                "amount:yen", "amount"
            )
        case "a way of writing nobody knows":
            for language in ("ja", "en"):
                raw["login"][language]["body"] += "{password:roman}"
        case "no text for a bill of nothing":
            del raw["statement_nothing_due"]
        case "a frame without the body":
            raw["frame"]["ja"] = "{name} {contract_id}"
    return raw


@pytest.mark.parametrize(
    "change",
    [
        "a language is missing",
        "a kind is missing",
        "a kind nobody knows",
        "a field in one language only",
        "the same field written in two ways",
        "a way of writing nobody knows",
        "no text for a bill of nothing",
        "a frame without the body",
    ],
)
def test_texts_that_could_not_be_sent_are_refused_at_start(change: str) -> None:
    texts.check(RAW)
    with pytest.raises(ValueError):
        texts.check(broken(change))


def test_a_notice_shows_neither_its_reader_nor_its_fields() -> None:
    shown = repr(notice())
    assert all(secret not in shown for secret in ("花子", "hanako", "千代田", "AB12cd34"))


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "newsletter"},
        {"delivery_id": "../../etc/passwd"},
        {"delivery_id": ""},
        {"at": AT.replace(tzinfo=None)},
    ],
)
def test_a_notice_that_cannot_be_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(notice(), **other)


def test_a_notice_keeps_what_it_was_given() -> None:
    plain = Notice("d:1", "ct", "login", "mail", "en", AT, HANAKO, {"login_id": "a", "password": "b"})
    assert (plain.to.email, plain.fields["login_id"]) == ("hanako@example.jp", "a")

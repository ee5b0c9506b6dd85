"""The outbox: what arrived, in order, filtered, page by page, and still there after a restart."""

import json
import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from outside.notice import JST
from sandbox.outbox import Delivery, Outbox
from sandbox.shelf import open_shelf
from tests.sandbox.process import Running, run

NOON = datetime(2026, 7, 1, 12, tzinfo=JST)


def delivery(name: str, **other: Any) -> Delivery:
    plain: dict[str, Any] = {
        "at": NOON,
        "channel": "mail",
        "kind": "login",
        "to": "a@example.jp",
        "email": None,
        "contract_id": "ct",
    }
    return Delivery(**{"delivery_id": name, "subject": name, "text": "", "fields": {}} | plain | other)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    shelf = open_shelf(tmp_path / "outbox")
    yield Outbox(shelf, tmp_path / "print")
    shelf.close()


def subjects(outbox: Outbox, **wanted: Any) -> list[str]:
    asked = {"to": None, "kind": None, "contract_id": None, "limit": 50, "cursor": None} | wanted
    return [item["subject"] for item in outbox.find(**asked)["items"]]


def test_the_oldest_comes_first_whenever_it_arrived(outbox: Outbox) -> None:
    for name, days in (("second", 2), ("third", 3), ("first", 1)):
        outbox.put(delivery(name, at=NOON + timedelta(days=days)))
    assert subjects(outbox) == ["first", "second", "third"]


def test_a_delivery_is_kept_once(outbox: Outbox) -> None:
    outbox.put(delivery("one"))
    outbox.put(delivery("one", subject="again"))
    assert subjects(outbox) == ["one"]


def test_it_is_filtered_by_reader_kind_and_contract(outbox: Outbox) -> None:
    outbox.put(delivery("mine", to="a@example.jp", kind="login", contract_id="one"))
    outbox.put(delivery("yours", to="aa@example.jp", kind="statement", contract_id="two"))
    outbox.put(
        delivery("paper", to="〒100 東京都 花子", email="a@example.jp", channel="post", contract_id="one")
    )
    assert subjects(outbox, to="A@example.jp") == ["mine", "paper"]
    assert subjects(outbox, to="花子") == ["paper"]
    assert subjects(outbox, kind="statement") == ["yours"]
    assert subjects(outbox, contract_id="one", kind="login", to="〒100 東京都 花子") == ["paper"]
    assert subjects(outbox, to="' OR 1=1 --") == []


def test_pages_follow_one_another_without_gap_or_repeat(sandbox: Running) -> None:
    contract = f"ct-{uuid4()}"
    for number in range(5):
        send(sandbox, contract, str(number))
    seen, cursor = [], None
    while True:
        asked: dict[str, Any] = {"contract_id": contract, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = sandbox.http.get("/outbox", params=asked).json()
        seen += [item["subject"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("asked", [{"cursor": "nonsense"}, {"cursor": "あ"}, {"limit": 0}, {"limit": 201}])
def test_a_page_that_cannot_be_is_422(sandbox: Running, asked: dict[str, Any]) -> None:
    assert sandbox.http.get("/outbox", params=asked).status_code == 422


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with run(tmp_path) as before:
        send(before, "ct", "hello")
        letter = {"delivery_id": "l", "contract_id": "ct", "kind": "login", "at": "2026-07-01T11:00:00+09:00"}
        (tmp_path / "print").mkdir()
        (tmp_path / "print" / "l.json").write_text(json.dumps(letter))
        items = before.outbox()
        assert [item["channel"] for item in items] == ["post", "mail"]
    with run(tmp_path) as after:
        assert after.outbox() == items


def test_a_mail_from_anybody_is_taken(sandbox: Running) -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = "stranger@example.jp", "件名"
    mail.set_content("本文")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as server:
        server.send_message(mail, from_addr="x@example.jp")
    [item] = sandbox.outbox(to="stranger@example.jp")
    assert (item["subject"], item["text"].strip(), item["kind"]) == ("件名", "本文", None)


@pytest.mark.parametrize(
    ("head", "subject", "text"),
    [
        (
            b"Subject: =?x-nix?B?5Lu2?= =?utf-8?Q?=E5=90=8D?=\r\nContent-Type: text/plain; charset=x-nix",
            "件名",
            "本文",
        ),
        (b"Subject: \xe4\xbb\xb6\x83\r\nContent-Type: text/plain; charset=rot13", "件�", "本文"),
        (
            b"Subject: =?utf-8?B?gQ==?=\r\n folded\r\nContent-Type: text/plain; charset=us-ascii",
            "�folded",
            "�" * 6,
        ),
        (b"Subject: =?utf-8?B?g?=\r\nX-Keiyaku-Fields: none\r\nDate: \xe4\xbb\xb6", "=?utf-8?B?g?=", "本文"),
        (b"X-Keiyaku-Contract: \xe4\xbb\xb6\r\nX-Keiyaku-Fields: MQ==", "", "本文"),
    ],
)
def test_a_mail_in_a_charset_that_nobody_knows_is_taken_as_well_as_can_be(
    sandbox: Running, head: bytes, subject: str, text: str
) -> None:
    to = f"{uuid4()}@example.jp"
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as server:
        server.sendmail("x@example.jp", to, head + b"\r\n\r\n" + "本文".encode())
    [item] = sandbox.outbox(to=to)
    assert (item["subject"], item["text"].strip(), item["fields"]) == (subject, text, {})


def send(sandbox: Running, contract: str, subject: str) -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"], mail["Date"] = "a@example.jp", subject, NOON
    mail["X-Keiyaku-Delivery"], mail["X-Keiyaku-Contract"] = str(uuid4()), contract
    mail.set_content("text")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as server:
        server.send_message(mail, from_addr="x@example.jp")

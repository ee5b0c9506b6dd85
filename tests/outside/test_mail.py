"""Mails over real SMTP, to a server that can be told to misbehave."""

import asyncio
import socket
import traceback
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest

from outside.letters import Printer
from outside.mail import Mailer
from outside.notice import PutOff, Recipient, Undeliverable, Unreachable
from settings import Settings
from tests.outside.mailboxes import CLOSING, FULL, mailboxes
from tests.outside.notices import AT, HANAKO, notice
from tests.sandbox.process import Running


async def test_a_mail_arrives_with_its_text_and_its_fields(sandbox: Running, settings: Settings) -> None:
    sent = notice("login")
    await Mailer(settings).send(sent)
    [item] = sandbox.outbox(contract_id=sent.contract_id)
    text = item.pop("text")
    assert "ログインID：AB12cd34" in text and "髙﨑 花子 様" in text
    assert item == {
        "at": "2026-07-11T09:30:00+09:00",
        "channel": "mail",
        "kind": "login",
        "to": "hanako@example.jp",
        "contract_id": sent.contract_id,
        "subject": "ログインIDとパスワードのお知らせ",
        "fields": sent.fields,
    }


async def test_mails_and_letters_of_one_second_keep_their_order(sandbox: Running, settings: Settings) -> None:
    mail, letter, last = (
        notice(channel=channel, at=AT + timedelta(milliseconds=ms), contract_id="ct-of-one-second")
        for channel, ms in (("mail", 100), ("post", 200), ("mail", 300))
    )
    await Mailer(settings).send(last)
    await Printer(settings).print(letter)
    await Mailer(settings).send(mail)
    found = [item["at"] for item in sandbox.outbox(contract_id="ct-of-one-second")]
    assert found == [sent.at.isoformat() for sent in (mail, letter, last)]


async def test_fields_of_any_length_and_script_arrive_as_they_left(
    sandbox: Running, settings: Settings
) -> None:
    sent = notice("form_turned_down", fields={"procedure_id": "p-1", "reason": "押印がありません。" * 200})
    await Mailer(settings).send(sent)
    assert [item["fields"] for item in sandbox.outbox(contract_id=sent.contract_id)] == [sent.fields]


async def test_the_same_delivery_twice_is_one_mail(sandbox: Running, settings: Settings) -> None:
    sent = notice()
    for _ in range(2):
        await Mailer(settings).send(sent)
    assert len(sandbox.outbox(contract_id=sent.contract_id)) == 1


async def test_in_production_a_mail_says_nothing_but_its_text(sandbox: Running, settings: Settings) -> None:
    sent = notice(to=Recipient("誰か", "in.production@example.jp"))
    for _ in range(2):
        await Mailer(settings.model_copy(update={"production": True})).send(sent)
    [item] = sandbox.outbox(to="in.production@example.jp")  # one: the repeat has the same Message-ID
    assert (item["kind"], item["contract_id"], item["fields"]) == (None, None, {})


async def test_a_server_that_is_down_is_worth_another_try(sandbox: Running, settings: Settings) -> None:
    sent = notice()
    sandbox.faults(smtp="down")
    with pytest.raises(Unreachable):
        await Mailer(settings).send(sent)
    sandbox.faults(smtp="up")
    await Mailer(settings).send(sent)
    assert len(sandbox.outbox(contract_id=sent.contract_id)) == 1


async def test_a_server_that_is_busy_is_worth_another_try(sandbox: Running, settings: Settings) -> None:
    sandbox.faults(smtp="busy")
    with pytest.raises(Unreachable, match=r"^put off with 451$"):
        await Mailer(settings).send(notice())


@pytest.mark.parametrize("which", ["answers", "texts"])
@pytest.mark.parametrize(("answer", "code"), [(FULL, 452), (CLOSING, 421)])
async def test_a_mailbox_that_takes_nothing_now_is_put_off_alone_and_the_next_gets_its_mail(
    settings: Settings, which: str, answer: str, code: int
) -> None:
    async with mailboxes() as server:
        getattr(server, which)["full@example.jp"] = answer
        mailer = Mailer(settings.model_copy(update={"smtp_port": server.port}))
        async with mailer.connected() as send:
            with pytest.raises(PutOff, match=rf"^put off with {code}$"):
                await send(notice(to=Recipient("花子", "full@example.jp")))
            await send(notice())
    assert server.took == ["hanako@example.jp"]


async def test_a_server_that_refuses_the_sender_says_nothing_of_the_mailbox(settings: Settings) -> None:
    async with mailboxes() as server:
        server.sender = FULL
        with pytest.raises(Unreachable) as trouble:
            await Mailer(settings.model_copy(update={"smtp_port": server.port})).send(notice())
    assert not isinstance(trouble.value, PutOff)


async def test_a_refused_mailbox_is_final_and_not_told(sandbox: Running, settings: Settings) -> None:
    sandbox.faults(smtp="refuse")
    with pytest.raises(Undeliverable, match=r"^refused with 550$") as refusal:
        await Mailer(settings).send(notice())
    assert "hanako" not in "".join(traceback.format_exception(refusal.value))
    assert refusal.value.__context__ is None


async def test_a_server_that_never_answers_is_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outside.mail.TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deaf = settings.model_copy(update={"smtp_port": silent.getsockname()[1]})
        with pytest.raises(Unreachable):
            await asyncio.wait_for(Mailer(deaf).send(notice()), 60)


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "hanako",
        "@example.jp",
        "hanako@",
        "花子@example.jp",
        "a\r\nBcc: b@example.jp",
        "a@example.jp\r\nBcc: b",
    ],
)
async def test_an_address_that_is_none_is_final(settings: Settings, email: str | None) -> None:
    with pytest.raises(Undeliverable, match=r"^there is no usable mail address$"):
        await Mailer(settings).send(notice(to=Recipient("花子", email)))


async def test_a_name_cannot_write_headers(sandbox: Running, settings: Settings) -> None:
    sent = notice(to=Recipient("花子\r\nBcc: eve@example.jp", "one.header@example.jp"))
    await Mailer(settings).send(sent)
    assert [item["to"] for item in sandbox.outbox(contract_id=sent.contract_id)] == ["one.header@example.jp"]


async def test_a_japanese_domain_is_written_as_mail_servers_know_it(
    sandbox: Running, settings: Settings
) -> None:
    sent = notice(to=Recipient(HANAKO.name, "hanako@例え.jp"))
    await Mailer(settings).send(sent)
    assert [item["to"] for item in sandbox.outbox(contract_id=sent.contract_id)] == ["hanako@xn--r8jz45g.jp"]


async def test_the_longest_name_keeps_to_the_length_that_mail_servers_take(settings: Settings) -> None:
    long = notice(to=Recipient("髙﨑" * 100, "hanako@example.jp"))
    written = Mailer(settings)._message(long).as_bytes()
    assert max(map(len, written.splitlines())) <= 78
    [(name, address)] = getaddresses([str(make_header(decode_header(message_from_bytes(written)["To"])))])
    assert (name, address) == ("髙﨑" * 100, "hanako@example.jp")

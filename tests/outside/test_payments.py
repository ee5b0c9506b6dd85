"""Payments over real HTTP: a refusal is final, everything else may be asked again with the same key."""

import socket
import threading
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from outside.notice import Unreachable
from outside.payments import Card, Declined, Gateway
from settings import Settings
from tests.sandbox.process import Running
from tests.stack import eventually


@pytest_asyncio.fixture
async def gateway(sandbox: Running, settings: Settings) -> AsyncIterator[Gateway]:
    async with Gateway(settings) as gateway:
        yield gateway


@pytest.fixture
def key() -> str:
    return str(uuid4())


async def test_a_card_is_registered_and_charged(sandbox: Running, gateway: Gateway, key: str) -> None:
    card = await gateway.register_card(f"card-{key}", "tok_ok")
    assert (card.brand, card.last4) == ("visa", "4242")
    charge = await gateway.charge(key, card.reference, 4800)
    [entry] = [entry for entry in sandbox.ledger("charges") if entry["key"] == key]
    assert (entry["charge_id"], entry["amount"], entry["reference"]) == (
        charge.charge_id,
        4800,
        card.reference,
    )


async def test_the_same_key_takes_money_once(sandbox: Running, gateway: Gateway, key: str) -> None:
    card = await gateway.register_card(f"card-{key}", "tok_ok")
    assert await gateway.charge(key, card.reference, 1) == await gateway.charge(key, card.reference, 1)
    assert sum(entry["key"] == key for entry in sandbox.ledger("charges")) == 1


@pytest.mark.parametrize(
    ("token", "code"), [("tok_declined", "card_declined"), ("tok_nobody", "unknown_card")]
)
async def test_a_declined_card_is_final_and_says_why(
    gateway: Gateway, key: str, token: str, code: str
) -> None:
    with pytest.raises(Declined) as refusal:
        await gateway.register_card(key, token)
    assert refusal.value.code == code


async def test_a_key_used_twice_for_different_things_is_final(gateway: Gateway, key: str) -> None:
    await gateway.register_card(key, "tok_ok")
    with pytest.raises(Declined, match="key_reused"):
        await gateway.register_card(key, "tok_flaky")


async def test_a_flaky_gateway_comes_through_at_the_third_try(gateway: Gateway, key: str) -> None:
    for _ in range(2):
        with pytest.raises(Unreachable, match=r"^gateway: answered 503$"):
            await gateway.register_card(key, "tok_flaky")
    assert isinstance(await gateway.register_card(key, "tok_flaky"), Card)


async def test_who_hangs_up_on_a_slow_gateway_learns_by_the_same_key_what_happened(
    sandbox: Running, settings: Settings, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outside.payments.TIMEOUT", httpx.Timeout(10, read=0.3))
    async with Gateway(settings) as impatient:
        for _ in range(2):
            with pytest.raises(Unreachable, match=r"^gateway: ReadTimeout$"):
                await impatient.register_card(key, "tok_slow")
    taken = eventually(lambda: [card for card in sandbox.ledger("cards") if card["key"] == key])
    assert len(taken) == 1


def test_we_wait_longer_than_the_gateway_may_take() -> None:
    from outside.payments import TIMEOUT

    assert (TIMEOUT.read, TIMEOUT.connect) == (35, 3)


async def test_a_gateway_that_is_not_there_is_worth_another_try(settings: Settings, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Gateway(settings.model_copy(update={"gateway_url": f"http://127.0.0.1:{port}"})) as nowhere:
        with pytest.raises(Unreachable, match=r"^gateway: ConnectError$"):
            await nowhere.register_card(key, "tok_ok")


async def test_a_key_of_ours_that_the_gateway_does_not_know_is_worth_another_try(
    settings: Settings, key: str
) -> None:
    async with Gateway(settings.model_copy(update={"gateway_api_key": SecretStr("")})) as stranger:
        with pytest.raises(Unreachable, match=r"^gateway: answered 401$"):
            await stranger.register_card(key, "tok_ok")


async def test_an_address_where_no_gateway_is_is_worth_another_try(
    sandbox: Running, settings: Settings, key: str
) -> None:
    elsewhere = settings.model_copy(update={"gateway_url": str(sandbox.http.base_url)})
    async with Gateway(elsewhere) as wrong:
        with pytest.raises(Unreachable, match=r"^gateway: answered 404$"):
            await wrong.register_card(key, "tok_ok")


async def test_a_gateway_that_has_moved_declines_nobody(settings: Settings, key: str) -> None:
    class Moved(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://elsewhere.example/")
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Moved) as server:
        threading.Thread(target=server.handle_request).start()
        moved = settings.model_copy(update={"gateway_url": f"http://127.0.0.1:{server.server_port}"})
        async with Gateway(moved) as gateway:
            with pytest.raises(Unreachable, match=r"^gateway: answered 302$"):
                await gateway.charge(key, "card_1", 4800)

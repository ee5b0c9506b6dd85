"""Payments, through an HTTP gateway that remembers what it did for which key."""

import re
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx

from outside.notice import Unreachable
from settings import Settings

TIMEOUT = httpx.Timeout(35, connect=3)
"""Seconds. The gateway may take 30 for its answer; who hangs up earlier does not know what happened."""

_TRY_AGAIN = {401, 403, 404, 408, 409, 425, 429}
"""Answers below 500 that pass: a key or an address that an operator will mend, too many or too early."""


KEY_REUSED = "key_reused"
"""The code of a call whose key was used for something else: it says nothing of what came of that."""

_CODE = re.compile(r"[a-z0-9_]{1,60}")


class Declined(Exception):
    """The gateway said no, and would again. `code` is its reason, fit for logs and for operators."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Card(NamedTuple):
    """A card as we may keep it: the gateway's reference, and what a customer recognises it by."""

    reference: str
    brand: str
    last4: str


class Charge(NamedTuple):
    """Money taken."""

    charge_id: str


Shape = TypeVar("Shape", Card, Charge)


class Gateway:
    """The gateway. Every call takes a key; the same key again does nothing twice and answers the same.

    Both calls raise Declined, which is final, or Unreachable: then what happened is unknown, and the same
    call with the same key is the way to find out. One client per event loop; close it when done.
    """

    def __init__(self, settings: Settings) -> None:
        key = settings.gateway_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=settings.gateway_url, headers=headers, timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._http.aclose()

    async def register_card(self, key: str, card_token: str) -> Card:
        """Turns the token that the customer's browser got into a card that can be charged."""
        answer = await self._post("cards", key, {"card_token": card_token})
        return _read(Card, answer)

    async def charge(self, key: str, reference: str, amount: int) -> Charge:
        """Takes `amount` yen, tax included, from the card."""
        answer = await self._post("charges", key, {"reference": reference, "amount": amount})
        return _read(Charge, answer)

    async def _post(self, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
        try:
            answer = await self._http.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError as error:
            raise Unreachable(f"gateway: {type(error).__name__}") from None
        # What leads elsewhere is no decline either: nobody's card is refused by a gateway that has moved.
        if answer.is_redirect or answer.status_code >= 500 or answer.status_code in _TRY_AGAIN:
            raise Unreachable(f"gateway: answered {answer.status_code}")
        if not answer.is_success:
            raise Declined(_code(answer))
        return answer


def _read(shape: type[Shape], answer: httpx.Response) -> Shape:
    try:
        body = answer.json()
        return shape(*(str(body[name]) for name in shape._fields))
    except (ValueError, KeyError, TypeError):
        # what it did it will tell when asked again with the same key, once it speaks clearly
        raise Unreachable("gateway: an answer that nobody understands") from None


def _code(answer: httpx.Response) -> str:
    try:
        code = str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return f"http_{answer.status_code}"
    return code if _CODE.fullmatch(code) else f"http_{answer.status_code}"

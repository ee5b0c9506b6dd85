"""What every request passes first, before anything else reads it: no huge body, no NUL; HEAD is a GET."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem

LARGEST = 64 * 1024
"""Of a body, in bytes."""


class Guard:
    """ASGI middleware. A NUL in path or query becomes a sign that stands in no ID; a database would stumble over it.

    HEAD goes on as GET, and nobody hears of it: what is answered lacks its body and is otherwise the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cleaned = {
            "path": scope["path"].replace("\x00", "\ufffd"),
            "query_string": scope["query_string"].replace(b"%00", b"%EF%BF%BD"),
        }
        if scope["method"] == "HEAD":
            cleaned["method"], send = "GET", _bodiless(send)
        await self._app({**scope, **cleaned}, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    """Ends a body once it is longer than it may be: `whole` sees that then."""
    length = 0

    async def read() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        return message if length <= LARGEST else {**message, "more_body": False}

    return read


def _bodiless(send: Send) -> Send:
    """Sends all but the body: its length, too."""

    async def told(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return told


async def whole(request: Request) -> bytes:
    """The body. Raises 413 for a huge one, 400 where whoever sends it hangs up in the midst of it."""
    try:
        raw = await request.body()
    except ClientDisconnect:
        raise Problem(400, "broken_off") from None
    if len(raw) > LARGEST:
        raise Problem(413, "too_large", {"Connection": "close"})
    return raw

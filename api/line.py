"""From which line a request comes: a short-lived signed token that the access network puts into `Line-Assertion`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import jwt
from fastapi import Request

from api.service import service
from credentials import Credentials
from rules import policy
from settings import Settings

_ALGORITHM = "HS256"


def assertion(settings: Settings, contract_id: str, now: datetime) -> str:
    """A token saying that whoever shows it comes from that contract's line; it holds for minutes."""
    until = now + timedelta(minutes=policy.current().api.line_assertion_minutes)
    key = Credentials(settings.secret_key.get_secret_value()).signing_key("line")
    return jwt.encode({"sub": contract_id, "exp": int(until.timestamp())}, key, _ALGORITHM)


def comes_from(request: Request, contract_id: str) -> bool:
    """Whether the request carries an assertion that it comes from that line (MAT-5, PNT-7, STO-8)."""
    found = service(request)
    token = request.headers.get("line-assertion", "")
    # Expiry goes by the engine's clock, which may be a test clock.
    options: Any = {"verify_exp": False, "require": ["sub", "exp"]}
    try:
        claims = jwt.decode(token, found.credentials.signing_key("line"), [_ALGORITHM], options=options)
    except jwt.InvalidTokenError:
        return False
    return bool(claims["sub"] == contract_id and found.now().timestamp() < claims["exp"])

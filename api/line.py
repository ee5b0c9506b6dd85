"""From which line a request comes: a short-lived signed token that the access network puts into `Line-Assertion`."""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

from credentials import Credentials
from rules import policy
from settings import Settings

_ALGORITHM = "HS256"


def assertion(settings: Settings, contract_id: str, now: datetime) -> str:
    """A token saying that whoever shows it comes from that contract's line; it holds for minutes."""
    until = now + timedelta(minutes=policy.current().api.line_assertion_minutes)
    key = Credentials(settings.secret_key.get_secret_value()).signing_key("line")
    return jwt.encode({"sub": contract_id, "exp": int(until.timestamp())}, key, _ALGORITHM)

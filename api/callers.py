"""Who is calling: a customer with a session, a named operator, a content provider, or nobody known."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import jwt
from fastapi import Request

from api.problems import Problem, not_signed_in
from api.service import Service, service
from credentials import Credentials

Kind = Literal["customer", "operator", "provider"]
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Caller:
    """`name` is the account of a customer, or the configured name of an operator or a provider."""

    kind: Kind
    name: str

    @property
    def by(self) -> str:
        return "customer" if self.kind == "customer" else f"{self.kind}:{self.name}"


def issue(credentials: Credentials, account_id: str, now: datetime, hours: int) -> tuple[str, datetime]:
    """A session token for the account and the instant at which it ends."""
    expires_at = now + timedelta(hours=hours)
    claims = {"sub": account_id, "exp": int(expires_at.timestamp())}
    return jwt.encode(claims, credentials.signing_key("session"), _ALGORITHM), expires_at


def identify(request: Request) -> Caller | None:
    """Whose token the request carries; None without a token or with one that does not hold."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    found = service(request)
    for kind, tokens in (("operator", found.operators), ("provider", found.providers)):
        for known, name in tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return Caller(kind, name)  # type: ignore[arg-type]
    return _customer(found, token)


def _customer(found: Service, token: str) -> Caller | None:
    # Expiry goes by the engine's clock, which may be a test clock.
    options = {"verify_exp": False, "require": ["sub", "exp"]}
    try:
        claims = jwt.decode(token, found.credentials.signing_key("session"), [_ALGORITHM], options=options)  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        return None
    return Caller("customer", claims["sub"]) if found.now().timestamp() < claims["exp"] else None


def _only(request: Request, kind: Kind) -> Caller:
    caller = identify(request)
    if caller is None:
        raise not_signed_in()
    if caller.kind != kind:
        raise Problem(403, "not_allowed")
    return caller


def customer(request: Request) -> Caller:
    """Raises 401 for nobody known, 403 for anybody else."""
    return _only(request, "customer")


def operator(request: Request) -> Caller:
    """Raises 401 for nobody known, 403 for anybody else."""
    return _only(request, "operator")


def provider(request: Request) -> Caller:
    """Raises 401 for nobody known, 403 for anybody else."""
    return _only(request, "provider")


def anybody(request: Request) -> Caller | None:
    """For public calls: a token may be there, but must then hold."""
    caller = identify(request)
    if caller is None and request.headers.get("authorization"):
        raise not_signed_in()
    return caller

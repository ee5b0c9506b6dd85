"""Secrets that can be derived again, so that a repeated step sends the same one and nothing has to keep it; and hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from itertools import count

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# About 10 ms and 8 MiB on one core: dear for who guesses, and a flood of logins cannot starve the service.
_HASHER = PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
# Verified against where there is no such account, so that a missing one takes as long as a wrong password.
_NOBODY = _HASHER.hash("nobody")


class Credentials:
    """Derives from the service's secret key. The same purpose and name give the same word, and tell nothing of another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def _digest(self, purpose: str, name: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}:{name}".encode(), hashlib.sha256)

    def _word(self, purpose: str, name: str, length: int) -> str:
        return base64.b32encode(self._digest(purpose, name)).decode()[:length]

    def login_ids(self, account_id: str) -> Iterator[str]:
        """Login IDs (IDN-3), one after the other: the first that nobody has is the account's, which then keeps it."""
        for turn in count():
            yield "KY" + self._word("login", f"{account_id}:{turn}", 8)

    def password(self, account_id: str) -> str:
        """The account's first password (IDN-3)."""
        return self._word("password", account_id, 14).lower()

    def key_code(self, contract_id: str, option: str) -> str:
        """The security software's key code (RNT-13): four groups of five letters and digits."""
        word = self._word("key-code", f"{contract_id}:{option}", 20)
        return "-".join(word[start : start + 5] for start in range(0, 20, 5))

    def customer_ids(self, contract_id: str) -> Iterator[str]:
        """`CAF` and ten digits (IDN-1), one after the other: with a million lines each has one in 10,000 to be another's."""
        for turn in count():
            digest = self._digest("customer", f"{contract_id}:{turn}")
            yield f"CAF{int.from_bytes(digest[:8]) % 10**10:010}"

    def access_key(self, contract_id: str, issue: int) -> str:
        """Eight half-width letters and digits (IDN-1); each issue gives another one (IDN-2)."""
        return self._word("access-key", f"{contract_id}:{issue}", 8)

    def approval_numbers(self, command_id: str) -> Iterator[str]:
        """One capital letter and ten digits (COL-1), one after the other: of a million some are another's, too."""
        for turn in count():
            digest = self._digest("approval", f"{command_id}:{turn}")
            yield f"{chr(ord('A') + digest[8] % 26)}{int.from_bytes(digest[:8]) % 10**10:010}"

    def authentication_key(self, contract_id: str, issue: int) -> str:
        """Twelve letters and digits (PNT-7); each issue gives another one."""
        return self._word("authentication-key", f"{contract_id}:{issue}", 12)

    def membership_token(self, procedure_id: str) -> str:
        """What makes a registration link one that cannot be guessed (PNT-1)."""
        return self._word("membership", procedure_id, 32).lower()

    def certificate(self, contract_id: str) -> str:
        """The number of a line's certificate of deletion."""
        return self._word("certificate", contract_id, 12)

    def subject(self, kind: str, name: str) -> str:
        """A name or an ID as it may stand in a table of wrong tries: not to be read back."""
        return self._digest(f"subject:{kind}", name).hex()

    def fingerprint(self, content: bytes) -> str:
        """What the same content is known by again: whoever reads it cannot try what it was of."""
        return hmac.digest(self._secret, b"content:" + content, hashlib.sha256).hex()

    def signing_key(self, purpose: str) -> str:
        """A key of its own for each kind of token."""
        return self._digest("sign", purpose).hex()


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def password_matches(stored: str | None, given: str) -> bool:
    """Takes as long for a missing account as for a wrong password."""
    try:
        return _HASHER.verify(stored or _NOBODY, given) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False

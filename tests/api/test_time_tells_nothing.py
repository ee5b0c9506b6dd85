"""Nobody can tell by the time of a refusal whether there is such an ID (IDN-4).

The work that a refusal takes is measured in this process's CPU seconds, which stay what they are whatever else the machine
does, and the time until its answer beside it. Known and unknown take turns: what warms up or slows down does so for both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache

import httpx
import pytest
from sqlalchemy import delete, insert

from api.app import make_app
from api.purchases import tried_for
from credentials import Credentials, hash_password
from settings import Settings
from store import passport_ids
from store.database import connect, in_transaction
from store.tables import AccountRow, LockRow
from store.write import table
from tests.line import PASSWORD, Line, active_line, new_name
from tests.stack import Stack, new_key

TURNS = 16
ALIKE = (1.25, 2.0)
"""By how much known and unknown may differ, in CPU and in time. Hashing a password or not is twice, on any machine."""
ALIKE_LOCKED = (2.0, 4.0)
"""A lock hashes nothing: its answer takes some milliseconds, noise is a large part of that, and a hash ten times as much."""
Said = dict[str, object]


class Refusing:
    """The API on a stack's data, in this process. Wrong tries are forgotten, so that no lock answers where none is meant."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, credentials: Credentials) -> None:
        self.http, self.engine, self.credentials = http, connect(stack.database_url), credentials
        self.headers = {"Authorization": f"Bearer {stack.provider_token}"}
        self.locked_until = stack.now() + timedelta(days=1)

    async def took(self, path: str, said: Said, locked: bool) -> tuple[float, float]:
        """CPU seconds, and seconds."""
        in_transaction(self.engine, lambda connection: connection.execute(delete(table(LockRow))))
        if locked:
            self.locks(said)
        work, began = time.process_time(), time.perf_counter()
        answer = await self.http.post(path, json=said, headers=self.headers)
        found = time.process_time() - work, time.perf_counter() - began
        assert answer.status_code in ((429,) if locked else (401, 403)), answer.text
        return found

    def locks(self, said: Said) -> None:
        """As if there had been ten wrong tries, which count for any name (IDN-5)."""
        row = {"subject": self.subject(said), "failures": 10, "last_failure_at": self.locked_until}
        row["locked_until"] = self.locked_until
        in_transaction(self.engine, lambda c: c.execute(insert(table(LockRow)).values(**row)))

    def subject(self, said: Said) -> str:
        if "name" not in said:
            return self.credentials.subject("login", str(next(iter(said.values()))))
        name = str(said["name"])
        passport = in_transaction(self.engine, lambda connection: passport_ids.by_name(connection, name))
        return tried_for(self.credentials, name, passport)

    async def ratios(
        self, path: str, known: Said, unknown: Callable[[], Said], locked: bool = False
    ) -> list[float]:
        """Known by unknown: the work, and the time. Of each the lower quartile: whatever disturbs only ever adds."""
        found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for turn in range(-2, TURNS):
            for there in (True, False) if turn % 2 else (False, True):
                took = await self.took(path, known if there else unknown(), locked)
                found[there] += [took] if turn >= 0 else []
        least = {
            there: [statistics.quantiles(one, n=4)[0] for one in zip(*found[there], strict=True)]
            for there in found
        }
        return [there / missing for there, missing in zip(least[True], least[False], strict=True)]


@asynccontextmanager
async def api_here(stack: Stack) -> AsyncIterator[Refusing]:
    settings = Settings(
        data_dir=stack.service.data,
        database_url=stack.database_url,
        temporal_address=stack.note["temporal_address"],
        clock="test",
        production=False,
        secret_key=(stack.folder / "secret.key").read_text().strip(),
        operator_token=stack.operator_token,
        provider_token=stack.provider_token,
    )
    app = make_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(base_url="http://here", transport=transport) as http,
    ):
        made = Refusing(stack, http, Credentials(settings.secret_key.get_secret_value()))
        yield made
        made.engine.dispose()


@cache
def line_of(stack: Stack) -> Line:
    return active_line(stack)


@cache
def passport_of(stack: Stack) -> str:
    return str(line_of(stack).passport_id()["name"])


@cache
def deleted_of(stack: Stack) -> str:
    passport = line_of(stack).passport_id()
    line_of(stack).delete(passport["passport_id"])
    return str(passport["name"])


@cache
def closed_account(stack: Stack) -> str:
    """A login that is known, with PASSWORD; no contract lets it in any more."""
    login_id = f"KY{new_key()[:8].upper()}"
    account = {
        "account_id": f"a-{login_id}",
        "kind": "individual",
        "language": "ja",
        "created_at": stack.now(),
    }
    login = {"login_id": login_id, "password_hash": hash_password(PASSWORD)}
    engine = connect(stack.database_url)
    in_transaction(
        engine, lambda connection: connection.execute(insert(table(AccountRow)).values(**account, **login))
    )
    engine.dispose()
    return login_id


def login(login_id: str, password: str) -> Said:
    return {"login_id": login_id, "password": password}


def access(customer_id: str) -> Said:
    return {"customer_id": customer_id, "access_key": "WRONGKEY"}


def purchase(name: str, password: str) -> Said:
    what = {"provider": "Eiga Channel", "item": "Film", "kind": "one_off", "amount": 500}
    return {"name": name, "password": password, **what}


def new_customer_id() -> str:
    return f"CAF{int(new_key(), 16) % 10**10:010}"


CASES: dict[str, tuple[str, Callable[[Stack], Said], Callable[[], Said]]] = {
    "the wrong password of a login": (
        "/v1/sessions",
        lambda stack: login(closed_account(stack), "wrong"),
        lambda: login(new_key(), "wrong"),
    ),
    "the right password of a login that is closed": (
        "/v1/sessions",
        lambda stack: login(closed_account(stack), PASSWORD),
        lambda: login(new_key(), PASSWORD),
    ),
    "the wrong access key of a line": (
        "/v1/sessions",
        lambda stack: access(line_of(stack).customer.login_id),
        lambda: access(new_customer_id()),
    ),
    "the wrong password of a passport ID": (
        "/v1/purchases",
        lambda stack: purchase(passport_of(stack), "wrong"),
        lambda: purchase(new_name(), "wrong"),
    ),
    "the password of a passport ID that was deleted": (
        "/v1/purchases",
        lambda stack: purchase(deleted_of(stack), PASSWORD),
        lambda: purchase(new_name(), PASSWORD),
    ),
}


LOCKED: dict[str, tuple[str, Callable[[Stack], Said], Callable[[], Said]]] = {
    "the right password of a login that is locked": CASES["the right password of a login that is closed"],
    "an access key of a line that is locked": CASES["the wrong access key of a line"],
    "the right password of a passport ID that is locked": (
        "/v1/purchases",
        lambda stack: purchase(passport_of(stack), PASSWORD),
        lambda: purchase(new_name(), PASSWORD),
    ),
}


def alike(ratios: list[float], within: tuple[float, float]) -> bool:
    return all(1 / most < ratio < most for ratio, most in zip(ratios, within, strict=True))


async def told(
    stack: Stack,
    cases: dict[str, tuple[str, Callable[[Stack], Said], Callable[[], Said]]],
    within: tuple[float, float],
    locked: bool = False,
) -> dict[str, list[float]]:
    """The ratios of each case. A difference is there every time, what a busy machine adds is not: up to three times."""
    found = dict[str, list[float]]()
    async with api_here(stack) as api:
        for name, (path, known, unknown) in cases.items():
            for _ in range(3):
                found[name] = await api.ratios(path, known(stack), unknown, locked)
                if alike(found[name], within):
                    break
    return found


@pytest.mark.rule("IDN-5")
async def test_a_lock_answers_as_fast_whether_or_not_there_is_such_an_id(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.sessions.REFUSED_SECONDS", 0)
    found = await told(stack, LOCKED, ALIKE_LOCKED, locked=True)
    assert [name for name, ratios in found.items() if not alike(ratios, ALIKE_LOCKED)] == [], found


@pytest.mark.rule("IDN-4")
async def test_a_refusal_takes_as_long_whether_or_not_there_is_such_an_id(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is the same for everybody, and would hide what is not.
    monkeypatch.setattr("api.sessions.REFUSED_SECONDS", 0)
    found = await told(stack, CASES, ALIKE)
    assert [name for name, ratios in found.items() if not alike(ratios, ALIKE)] == [], found

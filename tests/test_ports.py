"""Ports that are given out before anybody listens on them."""

import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from embedded import ports

GIVES = "import sys; from embedded import ports; print(ports.any_free(), flush=True); sys.stdin.read()"


@pytest.fixture
def elsewhere() -> Iterator[subprocess.Popen[str]]:
    """Another process, which was given a port and has begun nothing on it yet."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", GIVES], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def test_a_port_belongs_to_whom_it_was_given_until_they_end(
    elsewhere: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert elsewhere.stdout
    theirs = int(elsewhere.stdout.readline())
    drawn, by_chance = [theirs, theirs, theirs], random.randint
    monkeypatch.setattr(random, "randint", lambda *between: drawn.pop() if drawn else by_chance(*between))
    assert ports.is_free("127.0.0.1", theirs), "nobody listens yet"
    assert ports.any_free() != theirs
    assert not drawn
    elsewhere.kill()
    elsewhere.wait()
    drawn.append(theirs)
    assert ports.any_free() == theirs
    drawn.append(theirs)
    assert ports.any_free() != theirs, "it is mine now"

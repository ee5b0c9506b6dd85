"""Ports of this machine."""

from __future__ import annotations

import errno
import random
import socket
import sys

from embedded.problem import Problem

# Below the range from which the kernel takes the ports of outgoing connections.
_RANGE = (20_000, 32_000)
_claims: list[socket.socket] = []


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now. Raises Problem where it never could."""
    try:
        _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise Problem(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    return True


def wanted(host: str, port: int) -> int:
    """Exactly this port; 0 means any. Raises Problem where it is taken."""
    if port == 0:
        return any_free(host)
    if not is_free(host, port):
        raise Problem(f"Port {port} on {host} is taken by another program; choose another with --port.")
    return port


def preferred(host: str, port: int) -> int:
    """This port if it is free, else any."""
    return port if is_free(host, port) else any_free(host)


def any_free(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on, nor was given by another process that runs: it looks free until what is to listen
    on it has begun, and whenever that begins again."""
    for _ in range(200):
        port = random.randint(*_RANGE)  # noqa: S311 - not a secret
        if is_free(host, port) and _claim(port):
            return port
    raise Problem(f"No free port was found between {_RANGE[0]} and {_RANGE[1]}.")


def _listen(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _claim(port: int) -> bool:
    """False where it was given out before, here or by another process. The claim is a name that ends with the process and
    leaves nothing behind; only Linux has such."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0keiyaku-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True

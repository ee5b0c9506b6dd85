"""`python -m sandbox --data DIR --smtp-port N --http-port N`: runs until it is told to stop."""

import argparse
import asyncio
import socket
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from sandbox.app import Parts, make_app
from sandbox.gateway import SandboxGateway
from sandbox.outbox import Outbox
from sandbox.shelf import open_shelf
from sandbox.smtp import MailServer
from settings import SERVED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="what arrives is kept in DIR/outbox")
    parser.add_argument("--print-dir", type=Path, help="where letters appear; by default DIR/print")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--http-port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--slow-seconds", type=float, default=30, help="how long tok_slow takes")
    return parser.parse_args()


def _listener(host: str, port: int) -> socket.socket:
    try:
        made = socket.create_server((host, port))
    except OSError as error:
        sys.exit(f"sandbox: cannot listen on {host}:{port}: {error.strerror}")
    # asyncio says so of its own listeners only. Without it an answer's body waits 40 ms behind its head.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


async def _serve(options: argparse.Namespace, smtp: socket.socket, http: socket.socket) -> None:
    shelf = open_shelf(options.data / "outbox")
    outbox = Outbox(shelf, options.print_dir or options.data / "print")
    mail = MailServer(outbox, smtp)
    app = make_app(Parts(outbox, mail, SandboxGateway(shelf, options.slow_seconds)))
    # one second is enough for whoever waits for tok_slow
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, **SERVED)
    await mail.behave("up")
    print(  # noqa: T201 - whoever asked for any free port reads here which
        f"sandbox: smtp on {smtp.getsockname()[1]}, http on {http.getsockname()[1]}", flush=True
    )
    await uvicorn.Server(config).serve(sockets=[http])
    mail.stop()
    shelf.close()


def main() -> None:
    """Starts, and says in one sentence why where it cannot."""
    options = _options()
    smtp = _listener(options.host, options.smtp_port)
    http = _listener(options.host, options.http_port)
    try:
        with suppress(KeyboardInterrupt):  # Ctrl-C ends it as SIGTERM does, without a word
            asyncio.run(_serve(options, smtp, http))
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"sandbox: cannot use {options.data}: {error}")


if __name__ == "__main__":
    main()

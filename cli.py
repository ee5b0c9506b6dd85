"""The `keiyaku` command. Every import that costs time stands in the command that needs it."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import runpy
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import structlog
import typer

import logs
from settings import KEY_FILE, SERVED, Settings, SettingsError, load, read

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
schedules = typer.Typer(no_args_is_help=True, help="The scheduled runs.")
app.add_typer(schedules, name="schedules")

# Python looks for garbage after every 700 objects made. What a start makes stays, and looking is a tenth of it.
COLLECT_AFTER = 20_000, 20, 20
_DOUBT = "; does Temporal at {} answer, and the database?"

Data = Annotated[Path | None, typer.Option(help="The data folder; KEIYAKU_DATA_DIR otherwise.")]
Encoding = Literal["utf-8", "cp932"]
PolicyFile = Annotated[Path | None, typer.Argument(help="KEIYAKU_POLICY_FILE or the built-in one otherwise.")]


@app.callback()
def keiyaku() -> None:
    """Runs the contracts of a telecom's customers from application to end."""
    gc.set_threshold(*COLLECT_AFTER)


@app.command()
def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 otherwise.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="8080 otherwise; 0: any.")] = None,
    test_clock: Annotated[
        bool, typer.Option("--test-clock", help="A clock that can be moved forward.")
    ] = False,
    speed: Annotated[int, typer.Option(min=1, max=10_000_000, hidden=True)] = 1,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from embedded.plan import Options
    from embedded.up import run

    raise typer.Exit(run(Options(data, host, port, test_clock, speed)))


@app.command()
def worker() -> None:
    """Run one worker. Start as many as are needed."""
    import worker as wiring
    from rules.policy import PolicyError

    settings = _settings("worker")
    try:
        _until_told(wiring.main(settings))
    except (PolicyError, SettingsError) as fault:
        _fail(str(fault))
    except Exception as fault:  # logged without its text, which may quote a customer
        structlog.get_logger("cli").error("cannot go on", exc_info=fault)
        _fail(f"The worker cannot go on ({type(fault).__name__}){_DOUBT.format(settings.temporal_address)}")


@app.command()
def api() -> None:
    """Serve the HTTP interface on KEIYAKU_HOST and KEIYAKU_PORT."""
    import uvicorn

    from api.app import listener, make_app
    from rules.policy import PolicyError

    settings = _settings("api")
    with _sentence(PolicyError, SettingsError):
        served, listens = make_app(settings), listener(settings.host, settings.port)
    config = uvicorn.Config(
        served, log_config=None, server_header=False, timeout_graceful_shutdown=2, **SERVED
    )
    server = uvicorn.Server(config)
    with suppress(SystemExit):
        server.run([listens])
    if not server.started:
        _fail(f"The API cannot start{_DOUBT.format(settings.temporal_address)}")


_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASS_ON)
def sandbox(context: typer.Context) -> None:
    """Run the mail catcher and the payment gateway for trying things out (--help says more)."""
    _module("sandbox", context)


@app.command(context_settings=_PASS_ON)
def demo(context: typer.Context) -> None:
    """Live through two years of a few contracts in under a minute."""
    _module("demo", context)


@app.command(context_settings=_PASS_ON)
def bench(context: typer.Context) -> None:
    """Measure against bare Temporal, on one server in one run."""
    _module("bench", context)


@app.command(context_settings=_PASS_ON)
def diagrams(context: typer.Context) -> None:
    """Write the transition tables and diagrams of all state machines into docs/."""
    _module("docs_gen", context)


@app.command()
def migrate() -> None:
    """Bring the database of KEIYAKU_DATABASE_URL to the present schema. Repeating it changes nothing."""
    from store.migrate import upgrade

    upgrade(_settings("migrate").database_url)
    typer.echo("The database is up to date.")


@app.command()
def maintain() -> None:
    """Rewrite what held personal data, so that what was deleted leaves the database's files, too. Once a night, say."""
    from store.database import connect
    from store.maintenance import Busy
    from store.maintenance import maintain as rewrite

    with _sentence(Busy):
        rewrite(connect(_settings("maintain").database_url))
    typer.echo("What was deleted is gone from the database's files.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns of docs/importing.md.")],
    encoding: Annotated[Encoding | None, typer.Option(help="Found out otherwise.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="They count from this day on; else today.")
    ] = None,
    data: Data = None,
) -> None:
    """Bring in existing contracts. Repeating it adds nothing twice."""
    from embedded.folder import reached
    from importing import reading, run
    from rules.policy import PolicyError

    settings = reached(_settings("import", data_dir=data))
    with _sentence(reading.Unreadable, run.NotYet, run.Unfinished, PolicyError):
        raise typer.Exit(run.main(settings, file, encoding, on and on.date(), _service_time(settings)))


@app.command()
def catch_up() -> None:
    """Tell Temporal how every open contract stands in the store, after either was restored. Repeating it is harmless."""
    from activities import contract
    from gate import Gate, connect_client
    from store.database import connect

    settings = _settings("catch-up")

    async def tell() -> None:
        gate = Gate(await connect_client(settings), settings.task_queue)
        async for told in contract.catch_up(connect(settings.database_url), gate):
            typer.echo(f"{told} contracts")

    try:
        asyncio.run(tell())
    except Exception as fault:
        _fail(
            f"Not every contract could be told ({type(fault).__name__}){_DOUBT.format(settings.temporal_address)}"
        )
    typer.echo("Temporal knows every open contract.")


@app.command()
def check_policy(file: PolicyFile = None) -> None:
    """Check a policy file; the exit code says whether it can be used."""
    from rules import policy

    path = file or _settings("check-policy").policy_file or policy.DEFAULT
    with _sentence(policy.PolicyError):
        policy.load(path)
    typer.echo(f"{path} can be used.")


@schedules.command("apply")
def apply_schedules() -> None:
    """Make Temporal's schedules those of the policy in force. A worker does the same at its start."""
    import schedules as wiring
    from gate import connect_client
    from rules import policy

    settings = _settings("schedules")

    async def apply() -> list[str]:
        with _sentence(policy.PolicyError):
            figures = policy.load(settings.policy_file or policy.DEFAULT)
        return await wiring.apply(await connect_client(settings), settings.task_queue, figures)

    try:
        applied = asyncio.run(apply())
    except Exception as fault:
        _fail(f"No schedule could be made ({type(fault).__name__}){_DOUBT.format(settings.temporal_address)}")
    typer.echo(f"Applied: {', '.join(applied)}.")


@app.command()
def line_assertion(contract_id: str, data: Data = None) -> None:
    """Print a token that says: this comes from the line of CONTRACT_ID. Valid for 5 minutes."""
    from api.line import assertion
    from rules import policy

    with _sentence(SettingsError):
        found = read(data_dir=data)
    if not found.secret_key.get_secret_value() and not (found.data_dir / KEY_FILE).exists():
        _fail(f"No service has run on {found.data_dir} yet.")
    settings = _settings("line-assertion", data_dir=data)
    with _sentence(policy.PolicyError):
        policy.use(policy.load(settings.policy_file or policy.DEFAULT))
    typer.echo(assertion(settings, contract_id, _service_time(settings)))


def main() -> None:
    """Entry point of the `keiyaku` script."""
    try:
        app()
    finally:
        if "temporalio.bridge" in sys.modules:
            time.sleep(0.3)  # Temporal's own threads must be done before the interpreter is, or it may abort


def _service_time(settings: Settings) -> datetime:
    """By the clock of the service that runs on the data folder, else by this machine's."""
    from embedded.folder import service_time
    from embedded.problem import Problem
    from rules.clock import Clock

    with _sentence(Problem):
        return service_time(settings.data_dir, Clock(settings.clock_speed, settings.clock_epoch))


def _settings(part: str, **given: Any) -> Settings:
    """Those of the environment, and the logs as they want them. Exits where they are wrong."""
    with _sentence(SettingsError):
        settings = load(**given)
    logs.configure(settings.log_format, settings.log_level, part=part)
    gc.freeze()  # the modules that were imported for it stay
    return settings


@contextmanager
def _sentence(*kinds: type[Exception]) -> Iterator[None]:
    """For faults whose text is meant for whoever started this."""
    try:
        yield
    except kinds as fault:
        _fail(str(fault))


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"keiyaku: {sentence}", err=True)
    raise typer.Exit(1)


def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Runs until the work ends or SIGINT or SIGTERM comes; then it is cancelled and may finish in order."""

    async def run() -> None:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def _module(name: str, context: typer.Context) -> None:
    """As `python -m name` with the rest of the command line."""
    if importlib.util.find_spec(name) is None:
        _fail(f"This installation has no {name}.")
    sys.argv = [f"keiyaku {context.info_name}", *context.args]
    runpy.run_module(name, run_name="__main__")


if __name__ == "__main__":
    main()

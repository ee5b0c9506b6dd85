"""`keiyaku up`: the whole service in one terminal."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TextIO

from embedded import folder, plan
from embedded.plan import Options, Plan
from embedded.problem import Problem
from embedded.supervisor import Stopped, Supervisor
from rules import policy
from settings import SettingsError


def run(options: Options) -> int:
    """Runs everything until Ctrl-C. Returns the exit code: 0 if asked to stop, 1 if something went wrong."""
    try:
        own = plan.own_settings(options)
        with folder.locked(own.data_dir):
            policy.load(own.policy_file or policy.DEFAULT)  # else the worker would say it, but later
            asyncio.run(_run(plan.make(options, own)))
    except (Problem, SettingsError, policy.PolicyError) as problem:
        _say(f"keiyaku: {_one_line(problem)}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(what: Plan) -> None:
    try:
        async with Supervisor(_say) as supervisor:
            _say("Starting Temporal and the sandbox …")
            await supervisor.meanwhile(_migrate(what.settings.database_url))
            await supervisor.begin(what.stages[0])
            _say("Starting the worker and the API …")
            await supervisor.begin(what.stages[1])
            with folder.noted(what.settings.data_dir, what.note(supervisor.pids())):
                _say(_banner(what))
                await supervisor.watch()
    except Stopped:
        _say("Stopped.")


async def _migrate(database_url: str) -> None:
    from store.migrate import upgrade

    try:
        await asyncio.to_thread(upgrade, database_url)
    except Exception as error:
        why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise Problem(f"The database cannot be brought up to date: {why}.") from None


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split()).removesuffix(".") + "."


def _say(text: str, where: TextIO | None = None) -> None:
    with suppress(OSError):  # a reader or a terminal that is gone must not keep us from stopping the parts
        print(text, file=where, flush=True)


def _banner(what: Plan) -> str:
    settings, api = what.settings, what.api
    operator = next(iter(settings.operator_names()))
    provider = next(iter(settings.provider_names()))
    rows = [
        ("API", api),
        ("Documentation", f"{api}/docs"),
        ("Temporal UI", what.temporal_ui or "none with the test clock"),
        ("Outbox", f"{api}/dev/v1/outbox   what left by e-mail and post"),
        ("Data", str(settings.data_dir)),
        ("Logs", str(settings.data_dir / "logs")),
        ("Operator token", operator),
        ("Provider token", provider),
    ]
    if settings.clock == "test":
        rows.append(("Clock", "test: starts afresh every time, keeps nothing over a restart"))
    elif settings.clock_speed != 1:
        rows.append(("Clock", f"{settings.clock_speed} times as fast as real time"))
    table = "\n".join(f"  {name:<16}{value}" for name, value in rows)
    commands = _commands(what, operator)
    return f"\nKeiyaku is running; Ctrl-C stops it.\n\n{table}\n\nTry, in another terminal:\n\n{commands}\n"


def _commands(what: Plan, operator: str) -> str:
    json = "-H 'Content-Type: application/json'"
    application = (
        '{"product": "rental", "plan": "wifi-100", "course": "standard", "applicant": {"kind": "individual", '
        '"name": "山田 花子", "kana": "ヤマダ ハナコ", "email": "hanako@example.jp", "phone": "0312345678", '
        '"postal_code": "1000001", "address": "東京都千代田区千代田1-1"}, '
        '"payment": {"method": "credit_card", "card_token": "tok_ok"}}'
    )
    lines = [
        f"  curl -s {what.api}/v1/applications {json} -d '{application}'",
        f"  curl -s {what.api}/operator/v1/tasks -H 'Authorization: Bearer {operator}'",
        f"  curl -s {what.api}/dev/v1/{'clock' if what.settings.clock == 'test' else 'outbox'}",
    ]
    return "\n\n".join(lines)

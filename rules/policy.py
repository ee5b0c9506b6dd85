"""The policy file as a checked, frozen object: every figure the rules need, from one place."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules import jobs
from rules.figures import Policy

DEFAULT = Path(__file__).with_name("policy.toml")


class PolicyError(ValueError):
    """The policy file cannot be used; the message names file, line and what is wrong."""


@cache
def load(path: Path = DEFAULT) -> Policy:
    """The policy of `path`. Raises PolicyError with file, line and fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyError(f"{path}: {fault}") from None
    try:
        found = Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise PolicyError(f"{path}: {fault}") from None
    except ValidationError as faults:
        raise PolicyError(f"{path}{_told(text, faults.errors()[0])}") from None
    if lacking := _incomplete(found):
        raise PolicyError(f"{path}: {lacking}")
    return found


def _incomplete(policy: Policy) -> str | None:
    """What a file may not say any more; of policies that are in use already some may."""
    given = {job.job for job in policy.jobs}
    if given != jobs.NAMES:
        return f"jobs: each run once, and no other: {', '.join(sorted(given ^ jobs.NAMES))}"
    codes = [[grant.line_type for grant in policy.point_grants], [item.item for item in policy.point_items]]
    twice = next((names for names in codes if len(set(names)) < len(names)), None)
    return f"a code stands twice: {', '.join(twice)}" if twice else None


def _told(text: str, fault: ErrorDetails) -> str:
    """Where and what; what is wrong with the file as a whole stands on no line."""
    where = ".".join(str(part) for part in fault["loc"])
    return f", line {_line(text, fault['loc'])}: {where}: {fault['msg']}" if where else f": {fault['msg']}"


def _line(text: str, loc: tuple[int | str, ...]) -> int:
    """The line on which the key path `loc` stands, or that of the table it would belong to."""
    table = re.escape(str(loc[0]))
    heads = [m for m in re.finditer(rf"^\[+{table}\]+", text, re.M)]
    if not heads:
        return 1
    head = heads[loc[1]] if len(loc) > 1 and isinstance(loc[1], int) else heads[0]
    keys = [str(part) for part in loc[1:] if isinstance(part, str)]
    body = text[head.end() :]
    body = body[: following.start()] if (following := re.search(r"^\[", body, re.M)) else body
    found = re.search(rf"^{re.escape(keys[0])}\s*=", body, re.M) if keys else None
    return text.count("\n", 0, head.end() + (found.start() if found else 0)) + 1


_known: dict[str, Policy] = {}
_current: list[str] = []


class UnknownPolicy(LookupError):
    """A contract was decided by a policy that this process has not been told of yet."""


def digest(policy: Policy) -> str:
    """The name under which a contract remembers by which figures it was decided."""
    text = json.dumps(policy.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def know(policy: Policy, name: str | None = None) -> str:
    """Make `policy` one that `of` finds. Running contracts go on by the figures they were decided by."""
    name = name or digest(policy)
    _known[name] = policy
    return name


def remembered(body: dict[str, Any]) -> Policy:
    """A stored policy of an earlier or later release: what it does not say is as at present, what is unknown here is left out.

    A key that becomes new inside `[[plans]]` and the like needs a default in its model.
    """
    merged = current().model_dump(mode="json")
    # Histories that began before contracts came to rest have no timer for it.
    merged["workflow"]["rest_after_days"] = 0
    for key, value in body.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return Policy.model_validate(merged, strict=False, extra="ignore")


def use(policy: Policy) -> str:
    """Make `policy` the one by which this process decides what is new. Called once, at start."""
    _current[:] = [know(policy)]
    return _current[0]


def current() -> Policy:
    return of(current_digest())


def current_digest() -> str:
    return _current[0] if _current else use(load())


def of(name: str) -> Policy:
    """The policy of that digest. Raises UnknownPolicy."""
    try:
        return _known[name]
    except KeyError:
        raise UnknownPolicy(name) from None

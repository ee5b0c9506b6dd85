"""The policy file as a checked, frozen object: every figure the rules need, from one place."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DEFAULT = Path(__file__).with_name("policy.toml")

Days = Annotated[int, Field(ge=1, le=366)]
Months = Annotated[int, Field(ge=0, le=120)]
Yen = Annotated[int, Field(ge=0, le=10_000_000)]
DayOfMonth = Annotated[int, Field(ge=1, le=28)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class PolicyError(ValueError):
    """The policy file cannot be used; the message names file, line and what is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Name(_Strict):
    ja: str
    en: str


class Windows(_Strict):
    plan_change_until: DayOfMonth
    support_option_until: DayOfMonth
    cancellation_this_month_until: DayOfMonth
    settlement_day: DayOfMonth


class DeviceReturn(_Strict):
    due_after_days: Days
    charge_after_days: Days


class Fees(_Strict):
    plan_change: Yen
    device: Yen


class Support(_Strict):
    premium_cover_after_months: Months


class Card(_Strict):
    legacy_applied_until: date
    legacy_page: str


class Line(_Strict):
    monthly_cap: Yen
    highest_monthly_cap: Yen
    passport_ids: Count


class PassportId(_Strict):
    symbols: str


class _Hours(_Strict):
    """Within one day; `closes` is the first second that is late."""

    opens: time
    closes: time

    @model_validator(mode="after")
    def _open_before_closed(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("it closes before it opens")
        return self


class Conversion(_Hours):
    valid_days: Days


class AccessKey(_Hours):
    pass


class YearEnd(_Strict):
    first_month: Annotated[int, Field(ge=1, le=12)]
    first_day: Annotated[int, Field(ge=1, le=31)]
    last_month: Annotated[int, Field(ge=1, le=12)]
    last_day: Annotated[int, Field(ge=1, le=31)]

    @model_validator(mode="after")
    def _some_day_is_open(self) -> Self:
        if (self.last_month, self.last_day) >= (self.first_month, self.first_day):
            raise ValueError("from a day at the end of a year to one at the beginning of the next")
        return self


class WrittenForm(_Strict):
    lapses_after_days: Days


class Login(_Strict):
    failures: Count
    lock_minutes: Count
    session_hours: Count
    after_end_months: Months


class Operators(_Strict):
    minutes_per_case: Count


class Workflow(_Strict):
    continue_after_events: Annotated[int, Field(ge=50, le=10_000)]
    answers_remembered: Annotated[int, Field(ge=10, le=1_000)]


class Api(_Strict):
    idempotency_hours: Annotated[int, Field(ge=24, le=8_760)]
    line_assertion_minutes: Count


class Plan(_Strict):
    plan: str
    name: Name
    monthly_fee: Yen


class Course(_Strict):
    course: str
    name: Name
    months: Months
    deposit: Yen


class SupportOption(_Strict):
    option: str
    name: Name
    premium: bool
    for_sim: bool
    monthly_fee: Yen


class LineType(_Strict):
    line_type: str
    name: Name
    monthly_fee: Yen


class Policy(_Strict):
    windows: Windows
    device_return: DeviceReturn
    fees: Fees
    support: Support
    card: Card
    line: Line
    passport_id: PassportId
    conversion: Conversion
    access_key: AccessKey
    year_end: YearEnd
    written_form: WrittenForm
    login: Login
    operators: Operators
    workflow: Workflow
    api: Api
    plans: list[Plan]
    courses: list[Course]
    support_options: list[SupportOption]
    line_types: list[LineType]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Policy:
        for items in (self.plans, self.courses, self.support_options, self.line_types):
            codes = [next(iter(item.model_dump().values())) for item in items]
            if len(set(codes)) < len(codes):
                raise ValueError(f"a code stands twice: {', '.join(codes)}")
        return self

    def plan(self, code: str) -> Plan:
        return next(plan for plan in self.plans if plan.plan == code)

    def course(self, code: str) -> Course:
        return next(course for course in self.courses if course.course == code)

    def support_option(self, code: str) -> SupportOption:
        return next(option for option in self.support_options if option.option == code)


@cache
def load(path: Path = DEFAULT) -> Policy:
    """The policy of `path`. Raises PolicyError with file, line and fault."""
    text = path.read_text(encoding="utf-8")
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise PolicyError(f"{path}: {fault}") from None
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PolicyError(f"{path}, line {_line(text, first['loc'])}: {where}: {first['msg']}") from None


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

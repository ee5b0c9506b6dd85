"""What the policy file may say: every figure with its bounds, frozen and strict."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(ge=1, le=366)]
Months = Annotated[int, Field(ge=0, le=120)]
Yen = Annotated[int, Field(ge=0, le=10_000_000)]
DayOfMonth = Annotated[int, Field(ge=1, le=28)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


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


class Statement(_Strict):
    tax_percent: Annotated[int, Field(ge=0, le=100)]
    shown_months: Count
    due_after_months: Months


class Collection(_Strict):
    carried_over_after_days: Days
    suspension_notice_after_days: Days
    suspended_after_days: Days
    termination_notice_after_days: Days
    terminated_after_days: Days
    disclosed_after_days: Days

    @model_validator(mode="after")
    def _one_after_the_other(self) -> Self:
        *steps, disclosed = self.model_dump().values()
        if sorted(set(steps)) != steps:
            raise ValueError("each step comes days after the one before")
        if disclosed > steps[-1]:
            raise ValueError("purchases are disclosed while the bill is collected")
        return self


LAPSE_AFTER_AT_MOST = 10
"""Fiscal years: whoever looks for lots that have not lapsed looks so far ahead, whatever the policy says by then."""


class Points(_Strict):
    bill_payment_per_month: Count
    lapse_after_fiscal_years: Annotated[int, Field(ge=1, le=LAPSE_AFTER_AT_MOST)]
    link_valid_days: Days
    check_within_days: Days


class Runs(_Strict):
    contracts_per_chunk: Count
    streams: Annotated[int, Field(ge=1, le=64)]
    put_off_days: Days

    @property
    def least_per_stream(self) -> int:
        """Contracts: half a chunk, or setting a stream up costs more than it gains."""
        return max(self.contracts_per_chunk // 2, 1)


class Workflow(_Strict):
    continue_after_events: Annotated[int, Field(ge=50, le=10_000)]
    answers_remembered: Annotated[int, Field(ge=10, le=1_000)]
    rest_after_days: Annotated[int, Field(ge=0, le=3_660)]


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


class Job(_Strict):
    """A run over all contracts: on that day of each month, or of the months named."""

    job: str
    day: DayOfMonth
    at: time
    months: list[Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=lambda: list(range(1, 13)))


class PointGrant(_Strict):
    line_type: str
    points: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class PointItem(_Strict):
    item: str
    name: Name
    points: Count


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
    statement: Statement
    collection: Collection
    points: Points
    runs: Runs
    workflow: Workflow
    api: Api
    plans: list[Plan]
    courses: list[Course]
    support_options: list[SupportOption]
    line_types: list[LineType]
    jobs: list[Job]
    point_grants: list[PointGrant]
    point_items: list[PointItem]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Policy:
        for items in (self.plans, self.courses, self.support_options, self.line_types, self.jobs):
            codes = [next(iter(item.model_dump().values())) for item in items]
            if len(set(codes)) < len(codes):
                raise ValueError(f"a code stands twice: {', '.join(codes)}")
        return self

    def plan(self, code: str) -> Plan:
        return next(plan for plan in self.plans if plan.plan == code)

    def course(self, code: str) -> Course:
        return next(course for course in self.courses if course.course == code)

    def line_type(self, code: str) -> LineType:
        return next(line for line in self.line_types if line.line_type == code)

    def job(self, name: str) -> Job:
        """Raises StopIteration where there is none of that name."""
        return next(job for job in self.jobs if job.job == name)

    def support_option(self, code: str) -> SupportOption:
        return next(option for option in self.support_options if option.option == code)

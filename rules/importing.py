"""A contract that comes from elsewhere: one row of a file, judged by the rules of an application, and what it leads to."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from rules import fees, ids, line, payment_method, points, policy, rental, support_option, texts
from rules.calendar import end_of, midnight
from rules.change import Fee, Holdings
from rules.columns import Cap, Day, Lots, Name, Password, YesNo
from rules.effects import Effect
from rules.facts import Contract, Procedure, Product
from rules.fields import (
    CourseCode,
    CustomerId,
    Email,
    LineTypeCode,
    Method,
    OptionCode,
    Phone,
    PlanCode,
    PostalCode,
    Words,
)
from rules.waiting import waiting_on

OF_PRODUCT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rental": (("plan", "course"), ("support_option", "support_option_from", "support_option_changed")),
    "line": (
        ("line_type", "customer_id"),
        ("two_year_discount", "monthly_cap", "member_since", "member_email", "points"),
    ),
}
"""By product: the columns that it needs, and those that it may have. The other product has none of them."""

TOGETHER = (("login_id", "password"), ("member_since", "member_email"), ("card_brand", "card_last4"))


class Row(BaseModel):
    """A line of the file as it is written; docs/importing.md says what each column means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_id: Name
    account: Name | None = None
    product: Product
    plan: PlanCode | None = None
    course: CourseCode | None = None
    support_option: OptionCode | None = None
    support_option_from: Day | None = None
    support_option_changed: YesNo | None = None
    line_type: LineTypeCode | None = None
    two_year_discount: YesNo | None = None
    monthly_cap: Cap | None = None
    customer_id: CustomerId | None = None
    kind: Literal["individual", "corporate"]
    name: Words
    kana: Words
    email: Email
    phone: Phone
    postal_code: PostalCode
    address: Words
    language: Literal["ja", "en"] = "ja"
    braille: YesNo = False
    bill_mail: YesNo = True
    payment_method: Method
    payment_reference: Name | None = None
    card_brand: Name | None = None
    card_last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    applied_on: Day
    in_force_from: Day
    in_force_to: Day | None = None
    legacy: YesNo | None = None
    login_id: Name | None = None
    password: Password | None = None
    member_since: Day | None = None
    member_email: Email | None = None
    points: Lots | None = None


COLUMNS = tuple(Row.model_fields)
REQUIRED = frozenset(name for name, field in Row.model_fields.items() if field.is_required())


class Rejected(ValueError):
    """Why a row is not brought in, by column. Says nothing of what stands in it: that may be somebody's name."""


@dataclass(frozen=True, slots=True)
class Brought:
    """One contract as it goes into the store, where it is known again by `source`; its IDs are made of `key`.

    `on`: the day from whose 00:00 on it is this service's to bill and grant."""

    row: Row
    source: str
    key: str
    on: date
    contract: Contract
    fees: list[Fee]
    effects: list[Effect]

    @property
    def account_id(self) -> str:
        return f"a-{source_of(self.row.account) if self.row.account else self.key}"


def source_of(source_id: str) -> str:
    """The same word every time; it tells nobody the ID it comes from."""
    return hashlib.sha256(f"import:{source_id}".encode()).hexdigest()[:32]


def read(values: Mapping[str, str], on: date, at: datetime | None = None) -> Brought:
    """The contract of a row, by the figures in force. Empty is as not there; `at`: later for a later row. Raises Rejected."""
    try:
        row = Row.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as invalid:
        raise Rejected("; ".join(_said(fault) for fault in invalid.errors(include_input=False))) from None
    if faults := list(_faults(row, on)):
        raise Rejected("; ".join(faults))
    source = source_of(row.source_id)
    key = ids.in_order(at or midnight(on), source)
    contract = _contract(row, key)
    effects = _effects(contract, row.in_force_to)
    return Brought(row, source, key, on, contract, fees.at_beginning(contract), effects)


_SAID = {
    "missing": "needed",
    "string_pattern_mismatch": "not written as it has to be",
    "string_unicode": "not in the file's encoding",
}


def _said(fault: Any) -> str:
    told = _SAID.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    return f"{fault['loc'][0]}: {told}"


def _faults(row: Row, on: date) -> Iterator[str]:
    """What no single column can say."""
    yield from _of_product(row)
    yield from _of_dates(row, on)
    for one, other in TOGETHER:
        if (getattr(row, one) is None) != (getattr(row, other) is None):
            yield f"{one}: comes with {other}, and only with it"
    if no := payment_method.not_taken(row.product, row.payment_method):
        yield f"payment_method: {texts.of(no, 'en').detail} ({no.rule})"
    if (row.payment_method == "credit_card") != (row.payment_reference is not None):
        yield "payment_reference: comes with credit_card, and only with it"
    if row.card_brand and row.payment_method != "credit_card":
        yield "card_brand: comes with credit_card only"
    yield from _of_points(row, on)


def _of_product(row: Row) -> Iterator[str]:
    for product, (needed, possible) in OF_PRODUCT.items():
        for name in (*needed, *possible):
            given = getattr(row, name) is not None
            if given and product != row.product:
                yield f"{name}: only for a {product}"
            elif not given and product == row.product and name in needed:
                yield f"{name}: needed for a {product}"
    if row.support_option_from and not row.support_option:
        yield "support_option_from: comes with support_option only"


def _of_dates(row: Row, on: date) -> Iterator[str]:
    if row.in_force_from > on:
        yield f"in_force_from: not after {on}, the day of the import"
    if row.applied_on > row.in_force_from:
        yield "applied_on: not after in_force_from"
    if row.support_option_from and not row.in_force_from <= row.support_option_from <= on:
        yield f"support_option_from: from in_force_from to {on}"
    ends = row.in_force_to
    if ends and (ends < on or ends.day != monthrange(ends.year, ends.month)[1]):
        yield f"in_force_to: the last day of a month, not before {on}"
    legacy = row.applied_on <= policy.current().card.legacy_applied_until
    if row.legacy is not None and row.legacy != legacy:
        yield "legacy: does not agree with applied_on (RNT-14)"


def _of_points(row: Row, on: date) -> Iterator[str]:
    since = row.member_since
    if since and not row.in_force_from <= since <= on:
        yield f"member_since: from in_force_from to {on}"
    if row.points and not since:
        yield "points: a member's only; member_since is needed"
    for day in row.points or {}:
        if no := _no_lot(day, since or day, on):
            yield f"points: {no}"


def _no_lot(day: date, since: date, on: date) -> str | None:
    """Why there is nothing left of points granted on that day to a member `since` then."""
    if day > on:
        return f"no lot after {on}"
    if day.day != 1:
        return f"{day} is no 1st, and points are granted on no other day (PNT-2)"
    if day < since:
        return f"the lot of {day} is of before member_since (PNT-2)"
    return f"the lot of {day} has lapsed (PNT-4)" if points.lapses_on(day, policy.current()) < on else None


def _contract(row: Row, key: str) -> Contract:
    """In force, as it would stand here had it been applied for here."""
    figures = policy.current()
    cap = figures.line.monthly_cap if row.product == "line" and row.monthly_cap is None else row.monthly_cap
    contract = Contract(
        contract_id=f"k-{key}",
        product=row.product,
        state="active",
        policy=policy.current_digest(),
        applied_at=midnight(row.applied_on),
        plan=row.plan,
        course=row.course,
        line_type=row.line_type,
        two_year_discount=bool(row.two_year_discount),
        monthly_cap=cap,
        member_since=midnight(row.member_since) if row.member_since else None,
        payment_method=row.payment_method,
        payment_id=f"pay-{key}",
        in_force_from=row.in_force_from,
        started_at=midnight(row.in_force_from),
        option_changed=bool(row.support_option_changed),
        number=1,
    )
    if row.support_option:
        first = row.support_option_from or row.in_force_from
        contract.options = [support_option.period(row.support_option, first, figures)]
    if row.in_force_to:
        _end(contract, row.in_force_to)
    return contract


def _end(contract: Contract, last: date) -> None:
    """Cancelled where it comes from, for that last day; its end is kept here (RNT-8, LIN-4)."""
    contract.state, contract.in_force_to = "ending", last
    for option in contract.options:
        option.last = last
    pending = Procedure(
        procedure_id=f"p-{contract.contract_id[2:]}-cancellation",
        kind="cancellation",
        state="accepted",
        waiting_on=waiting_on("cancellation", "accepted"),
        policy=contract.policy,
        due_at=end_of(last),
    )
    contract.procedures = [pending]


def _effects(contract: Contract, ends: date | None) -> list[Effect]:
    if ends is None:
        return []
    if contract.product == "rental":
        return rental.effects(contract, ends, policy.current())
    return [Effect(at=end_of(ends), what="contract_ends"), *line.losses(Holdings(), end_of(ends))]

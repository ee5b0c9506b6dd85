"""What customers say of themselves and may choose, as types: the same for requests and for rows that are brought in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from rules import policy

Method = Literal["credit_card", "atone", "np_invoice", "account_transfer", "invoice", "isp_collection"]
# Something to be seen, all on one line.
LINE = r"[^\x00-\x1f\x7f-\x9f]*"
Words = Annotated[str, StringConstraints(max_length=200, pattern=rf"^{LINE}[^\s\x00-\x1f\x7f-\x9f]{LINE}$")]
LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
Email = Annotated[str, StringConstraints(max_length=254, pattern=rf"^{LOCAL}@[^@\s.]+(\.[^@\s.]+)+$")]
Phone = Annotated[str, StringConstraints(pattern=r"^0[0-9]{9,10}$")]
PostalCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{7}$")]


def _plan(code: str) -> str:
    return _known(code, [plan.plan for plan in policy.current().plans])


def _course(code: str) -> str:
    return _known(code, [course.course for course in policy.current().courses])


def _option(code: str) -> str:
    return _known(code, [option.option for option in policy.current().support_options])


def _line_type(code: str) -> str:
    return _known(code, [line.line_type for line in policy.current().line_types])


def _monthly_cap(cap: int) -> int:
    highest = policy.current().line.highest_monthly_cap
    if not 0 <= cap <= highest:
        raise PydanticCustomError("from_to", "from {least} to {most}", {"least": 0, "most": highest})
    return cap


def _known(code: str, codes: list[str]) -> str:
    if code not in codes:
        raise PydanticCustomError("one_of", "one of {known}", {"known": ", ".join(codes)})
    return code


PlanCode = Annotated[str, AfterValidator(_plan)]
CourseCode = Annotated[str, AfterValidator(_course)]
LineTypeCode = Annotated[str, AfterValidator(_line_type)]
MonthlyCap = Annotated[int, AfterValidator(_monthly_cap)]
OptionCode = Annotated[str, AfterValidator(_option)]
CustomerId = Annotated[str, StringConstraints(pattern=r"^CAF[0-9]{10}$")]
"""IDN-1."""

"""Applying for a contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints, model_validator

from api import commands
from api.bodies import Body, read_one_of, takes_one_of
from api.callers import Caller, anybody
from api.faults import unfit
from api.language import language
from api.problems import refused
from api.service import Service, service
from gate import Refused
from rules import payment_method, policy
from rules.change import Apply
from rules.facts import Contract
from rules.fields import (
    CourseCode,
    Email,
    LineTypeCode,
    Method,
    MonthlyCap,
    OptionCode,
    Phone,
    PlanCode,
    PostalCode,
    Words,
)
from store import lines

router = APIRouter(tags=["Applying"])


class Applicant(Body):
    kind: Literal["individual", "corporate"]
    name: Words
    kana: Words
    email: Email
    phone: Phone
    postal_code: PostalCode
    address: Words


class Payment(Body):
    """`card_token` comes with a credit card, and only with one."""

    method: Method
    card_token: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _card_has_token(self) -> Payment:
        if (self.method == "credit_card") != (self.card_token is not None):
            raise unfit("card_token", fields=["card_token"])
        return self


class LineApplication(Body):
    product: Literal["line"]
    line_type: LineTypeCode
    two_year_discount: bool = False
    monthly_cap: MonthlyCap | None = None
    applicant: Applicant
    payment: Payment


class RentalApplication(Body):
    product: Literal["rental"]
    plan: PlanCode
    course: CourseCode
    support_option: OptionCode | None = None
    applicant: Applicant
    payment: Payment


FORMS: dict[str, type[RentalApplication | LineApplication]] = {
    "rental": RentalApplication,
    "line": LineApplication,
}
HANAKO = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "rental": {
        "product": "rental",
        "plan": "wifi-100",
        "course": "standard",
        "applicant": HANAKO,
        "payment": {"method": "credit_card", "card_token": "tok_ok"},
    },
    "line": {
        "product": "line",
        "line_type": "cross",
        "two_year_discount": True,
        "monthly_cap": 10000,
        "applicant": HANAKO,
        "payment": {"method": "account_transfer"},
    },
}


@router.post(
    "/v1/applications",
    status_code=202,
    openapi_extra=takes_one_of({product: (form, EXAMPLES[product]) for product, form in FORMS.items()}),
    summary="Apply",
)
async def apply(request: Request) -> JSONResponse:
    """A first application needs no session; one sent with a customer's session belongs to that customer."""
    caller = anybody(request)
    wanted = await read_one_of(request, "product", FORMS)
    no = payment_method.not_taken(wanted.product, wanted.payment.method)
    if no:
        raise refused(no)
    found, command = service(request), commands.command_id(request)
    contract = _contract(found, wanted, command)
    personal = _personal(wanted, command, caller, language(request))
    if wanted.product == "line":
        ids = found.credentials.customer_ids(contract.contract_id)
        personal["customer_id"] = await found.read(
            lambda connection: lines.unused_customer_id(connection, ids)
        )
    take = Apply(
        **commands.head(found, command, "customer"), support_option=getattr(wanted, "support_option", None)
    )
    try:
        answer = await commands.repeated(request) or await commands.answered(
            found, command, personal, lambda: found.gate.begin("apply", take, contract)
        )
    except Refused as fault:
        raise refused(fault.refusal) from None
    shown = {
        "contract_id": contract.contract_id,
        "procedure_id": answer.procedure_id,
        "state": contract.state,
    }
    return JSONResponse(shown, 202, {"Location": f"/v1/contracts/{contract.contract_id}"})


def _contract(found: Service, wanted: RentalApplication | LineApplication, command: str) -> Contract:
    """The contract as it is applied for, free of personal data."""
    chosen = wanted.model_dump(exclude={"product", "applicant", "payment", "support_option"})
    if wanted.product == "line" and chosen["monthly_cap"] is None:
        chosen["monthly_cap"] = policy.current().line.monthly_cap
    return Contract(
        contract_id=f"k-{command}",
        product=wanted.product,
        state="applied",
        policy=policy.current_digest(),
        applied_at=found.now(),
        **chosen,
        payment_method=wanted.payment.method,
        payment_id=f"pay-{command}",
    )


def _personal(
    wanted: RentalApplication | LineApplication, command: str, caller: Caller | None, words: str
) -> dict[str, Any]:
    """What goes to the store and nowhere else."""
    party = wanted.applicant.model_dump() | {"party_id": f"y-{command}", "language": words}
    payment = wanted.payment.model_dump() | {"payment_id": f"pay-{command}"}
    if caller and caller.kind == "customer":
        return {"account_id": caller.name, "party": party, "payment": payment}
    account = {"account_id": f"a-{command}", "kind": wanted.applicant.kind, "language": words}
    return {"account": account, "account_id": account["account_id"], "party": party, "payment": payment}

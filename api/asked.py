"""What each kind of request is sent with, and which part of it is for the workflow and which for the store alone."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.applications import Payment
from api.bodies import Body, read
from api.problems import not_found
from api.service import Service
from rules import decision
from rules.fields import CourseCode, LineTypeCode, OptionCode, PlanCode, Words
from store import lines


class Asked(Body):
    consent: str | None = None


class PlanChange(Asked):
    plan: PlanCode
    course: CourseCode


class SupportOption(Asked):
    option: OptionCode | None


class PaymentMethod(Asked):
    payment: Payment


class OfPassportId(Asked):
    passport_id: str


class Move(Asked):
    address: Words


class LineTypeChange(Asked):
    line_type: LineTypeCode


BODIES: dict[str, type[Asked]] = {
    "plan_change": PlanChange,
    "cancellation": Asked,
    "support_option": SupportOption,
    "payment_method": PaymentMethod,
    "conversion": Asked,
    "restriction": OfPassportId,
    "unrestriction": OfPassportId,
    "move": Move,
    "line_type_change": LineTypeChange,
}


EXAMPLES: dict[str, dict[str, Any]] = {
    "plan_change": {"plan": "wifi-50", "course": "standard"},
    "cancellation": {},
    "support_option": {"option": "support"},
    "payment_method": {"payment": {"method": "credit_card", "card_token": "tok_ok"}},
    "conversion": {},
    "restriction": {"passport_id": "i-0123"},
    "unrestriction": {"passport_id": "i-0123"},
    "move": {"address": "大阪府大阪市北区梅田1-1"},
    "line_type_change": {"line_type": "cross"},
}
PREVIEWED = {kind: (BODIES[kind], example) for kind, example in EXAMPLES.items()}
ASKED = {
    kind: (BODIES[kind], example | ({"consent": "from the preview"} if kind in decision.CONSENTED else {}))
    for kind, example in EXAMPLES.items()
}


async def asked(request: Request, product: str, kind: str) -> Asked:
    """The body of a request of that kind. Raises 404 for a kind that the product does not have, 422."""
    if kind not in decision.OF_PRODUCT[product]:
        raise not_found()
    return await read(request, BODIES[kind])


def plain(body: Asked) -> dict[str, Any]:
    """The body as rules and workflow see it: no consent, no card token, no address."""
    found = body.model_dump(exclude={"consent", "address"})
    if isinstance(body, PaymentMethod):
        found["payment"] = {"method": body.payment.method}
    return found


def fingerprint(found: Service, body: Asked) -> dict[str, Any]:
    """All of the body as a consent stands for it that is judged here, where the workflow does not see what is personal."""
    whole = body.model_dump_json(exclude={"consent"}).encode()
    return {"fingerprint": found.credentials.fingerprint(whole)}


async def split(
    found: Service, body: Asked, contract_id: str, kind: str, command: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What goes to the workflow, and what goes to the store and nowhere else."""
    public = plain(body)
    if isinstance(body, PaymentMethod):
        payment_id = f"pay-{command}"
        public["payment"]["payment_id"] = payment_id
        return public, {"payment": body.payment.model_dump() | {"payment_id": payment_id}}
    if isinstance(body, Move):
        return public, {"address": body.address}
    if kind == "conversion":
        numbers = found.credentials.approval_numbers(command)
        number = await found.read(lambda connection: lines.unused_number(connection, numbers))
        return public, {"number": {"number": number, "contract_id": contract_id}}
    return public, None

"""Who may call what: every path of the OpenAPI document, by every kind of caller."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stack import Rental, Stack

# What each caller meets. `own` is what the customer of the contract gets; nothing here is found, so mostly 404.
TABLE = """
method  path                                                    nobody  customer  operator  provider  forged
get     /healthz                                                200     200       200       200       200
get     /readyz                                                 200     200       200       200       200
get     /openapi.json                                           200     200       200       200       200
get     /docs                                                   200     200       200       200       200
get     /v1/catalogue                                           200     200       200       200       200
post    /v1/applications                                        422     422       422       422       401
post    /v1/sessions                                            422     422       422       422       422
get     /v1/contracts                                           401     200       403       403       401
get     /v1/contracts/{contract_id}                             401     404       403       403       401
get     /v1/contracts/{contract_id}/timeline                    401     404       403       403       401
patch   /v1/contracts/{contract_id}/registered-data             401     404       403       403       401
patch   /v1/contracts/{contract_id}/notices                     401     404       403       403       401
get     /v1/contracts/{contract_id}/support-option              401     404       403       403       401
get     /v1/contracts/{contract_id}/receipts/{month}.pdf        401     404       403       403       401
get     /v1/contracts/{contract_id}/statements                  401     404       403       403       401
get     /v1/contracts/{contract_id}/statements/{month}          401     404       403       403       401
get     /v1/contracts/{contract_id}/statements/{month}.pdf      401     404       403       403       401
get     /operator/v1/contracts/{contract_id}/statements         401     403       404       403       401
get     /operator/v1/contracts/{contract_id}/statements/{month}  401    403       404       403       401
get     /operator/v1/contracts/{contract_id}/statements/{month}.pdf  401  403     404       403       401
post    /v1/contracts/{contract_id}/procedures/{kind}/preview   401     404       403       403       401
post    /v1/contracts/{contract_id}/procedures/{kind}           401     404       403       403       401
get     /v1/contracts/{contract_id}/procedures                  401     404       403       403       401
get     /v1/procedures/{procedure_id}                           401     404       403       403       401
get     /v1/procedures/{procedure_id}/diagram.svg               401     404       403       403       401
get     /v1/manuals                                             401     200       403       403       401
get     /v1/manuals/{manual}.pdf                                401     404       403       403       401
get     /operator/v1/tasks                                      401     403       200       403       401
post    /operator/v1/tasks/{task_id}                            401     403       404       403       401
get     /operator/v1/contracts                                  401     403       200       403       401
get     /operator/v1/contracts/{contract_id}                    401     403       404       403       401
get     /operator/v1/contracts/{contract_id}/timeline           401     403       404       403       401
post    /operator/v1/logins/{login_id}/unlock                   401     403       200       403       401
post    /v1/contracts/{contract_id}/passport-ids                401     404       403       403       401
get     /v1/contracts/{contract_id}/passport-ids                401     404       403       403       401
patch   /v1/contracts/{contract_id}/passport-ids/{passport_id}  401     404       403       403       401
delete  /v1/contracts/{contract_id}/passport-ids/{passport_id}  401     404       403       403       401
get     /v1/contracts/{contract_id}/points                      401     404       403       403       401
post    /v1/contracts/{contract_id}/point-exchanges             401     404       403       403       401
post    /v1/contracts/{contract_id}/authentication-keys         401     404       403       403       401
post    /v1/contracts/{contract_id}/authentication-keys/registration  401  404    403       403       401
post    /v1/contracts/{contract_id}/membership                  401     404       403       403       401
post    /v1/memberships                                         422     422       422       422       422
post    /v1/memberships/{link_token}                            404     404       404       404       404
get     /v1/contracts/{contract_id}/purchases                   401     404       403       403       401
post    /v1/purchases                                           401     403       403       422       401
post    /operator/v1/contracts/{contract_id}/access-key         401     403       404       403       401
post    /operator/v1/contracts/{contract_id}/payments           401     403       404       403       401
get     /operator/v1/disclosures                                401     403       200       403       401
post    /operator/v1/conversions/{number}/take-up               401     403       404       403       401
post    /operator/v1/conversions/{number}/switch-over           401     403       404       403       401
get     /operator/v1/jobs                                       401     403       200       403       401
post    /operator/v1/jobs/{name}/run                            401     403       404       403       401
get     /dev/v1/outbox                                          200     200       200       200       200
get     /dev/v1/clock                                           200     200       200       200       200
post    /dev/v1/clock                                           422     422       422       422       422
"""
HEAD, *ROWS = (line.split() for line in TABLE.strip().splitlines())
PARTS = {
    "contract_id": "k-0",
    "procedure_id": "p-0",
    "task_id": "t-0",
    "login_id": "KY0",
    "manual": "m",
    "month": "2026-04",
    "kind": "cancellation",
    "passport_id": "i-0",
    "number": "A0000000000",
    "link_token": "x",
    "name": "no-such-job",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2]))
def test_each_caller_gets(stack: Stack, rental: Rental, row: list[str]) -> None:
    tokens = {
        "nobody": None,
        "customer": rental.customer.token,
        "operator": stack.operator_token,
        "provider": stack.provider_token,
        "forged": rental.customer.token[:-4] + "AAAA",
    }
    method, path, *wanted = row
    answers = {
        caller: str(stack.call(method.upper(), path.format(**PARTS), tokens[caller]).status_code)
        for caller in HEAD[2:]
    }
    assert answers == dict(zip(HEAD[2:], wanted, strict=True))


@pytest.mark.parametrize("path", [row[1] for row in ROWS if row[0] == "get"])
def test_what_can_be_read_can_be_asked_for_without_its_body(stack: Stack, rental: Rental, path: str) -> None:
    for token in (None, rental.customer.token, stack.operator_token):
        whole, head = (stack.call(method, path.format(**PARTS), token) for method in ("GET", "HEAD"))
        assert (head.status_code, head.headers.keys()) == (whole.status_code, whole.headers.keys())
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.content == b""


def test_it_says_how_long_the_body_is_that_is_not_there(stack: Stack, rental: Rental) -> None:
    for path in ("/v1/catalogue", "/v1/nothing", "/v1/manuals/wifi-start.pdf", "/docs", rental.path):
        whole, head = (rental.customer.call(method, path) for method in ("GET", "HEAD"))
        assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.content))
        assert head.content == b""


def test_the_table_has_every_operation(stack: Stack) -> None:
    documented = {
        f"{m} {path}" for path, methods in stack.document.document["paths"].items() for m in methods
    }
    assert documented == {f"{row[0]} {row[1]}" for row in ROWS} - {"get /openapi.json", "get /docs"}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("path", "for_nobody"),
    [
        ("/v1/nothing", 401),
        ("/v1/", 401),
        ("/v1/contracts/k-0/nothing", 401),
        ("/v1/sessionsandmore", 401),
        ("/v1/contracts/", 401),
        ("/operator/v1/tasks/t-0/", 401),
        ("/v1/storage/k-0/files", 401),
        ("/operator/v1/nothing", 401),
        ("/operator/v2/tasks", 401),
        ("/operator/", 401),
        ("/v1/billing/0123", 404),
        ("/v1/billing/0123/card-payment", 404),
        ("/v1/catalogue/wifi-100", 404),
        ("/v1/sessions/mine", 404),
        ("/v1/applications/", 404),
        ("/healthz/", 404),
        ("/dev/v1/nothing", 404),
        ("/nothing", 404),
    ],
)
def test_a_path_that_is_not_there_is_so_for_those_only_who_may_know(
    stack: Stack, rental: Rental, path: str, for_nobody: int, method: str
) -> None:
    answers = [stack.call(method, path, token) for token in (None, rental.customer.token[:-4] + "AAAA")]
    assert [answer.status_code for answer in answers] == [for_nobody] * 2
    if for_nobody == 401:
        assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
        assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    for token in (rental.customer.token, stack.operator_token, stack.provider_token):
        assert stack.call(method, path, token).status_code == 404


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic b3A6cHc=", "Bearer a.b.c", "Bearer \xff\xfe", "bearer " + "x" * 5000],
    ids=["empty", "no token", "basic", "no JWT", "not ASCII", "long"],
)
def test_what_is_no_token_is_401_and_says_how_to_sign_in(stack: Stack, header: str) -> None:
    answer = stack.call("GET", "/v1/contracts", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_an_unsigned_token_is_no_token(stack: Stack) -> None:
    # {"alg":"none"} {"sub":"a-1","exp":9999999999}
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhLTEiLCJleHAiOjk5OTk5OTk5OTl9."
    assert stack.call("GET", "/v1/contracts", unsigned).status_code == 401


PATHS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/timeline", None),
    ("GET", "/procedures", None),
    ("GET", "/support-option", None),
    ("GET", "/receipts/2026-04.pdf", None),
    ("GET", "/statements", None),
    ("GET", "/statements/2026-04", None),
    ("GET", "/statements/2026-04.pdf", None),
    ("PATCH", "/registered-data", {"phone": "09012345678"}),
    ("PATCH", "/notices", {"language": "en"}),
    ("POST", "/procedures/cancellation/preview", {}),
    ("POST", "/procedures/cancellation", {}),
]


def test_somebody_elses_contract_is_not_there(stack: Stack, rental: Rental) -> None:
    other = stack.preparing_contract().customer
    for method, path, body in PATHS:
        answer = other.call(method, rental.path + path, json=body)
        missing = other.call(method, f"/v1/contracts/k-0{path}", json=body)
        assert (answer.status_code, answer.text) == (404, missing.text), path
    procedure_id = rental.items("/procedures")[0]["procedure_id"]
    for path in ("", "/diagram.svg"):
        assert other.get(f"/v1/procedures/{procedure_id}{path}").status_code == 404
        assert rental.customer.get(f"/v1/procedures/{procedure_id}{path}").status_code == 200

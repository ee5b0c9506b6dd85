"""Bad input of every kind gets the documented answer, each fault named by field."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.line import active_line
from tests.stack import APPLICANT, APPLICATION, Rental, Stack, application, eventually, new_key

MISSING = object()

# Where in an application, what stands there, and what is said about it.
APPLICATIONS: list[tuple[str, Any, int]] = [
    ("product", "boat", 422),
    ("product", MISSING, 422),
    ("product", None, 422),
    ("plan", "wifi-1", 422),
    ("plan", 100, 422),
    ("plan", ["wifi-100"], 422),
    ("plan", True, 422),
    ("course", "", 422),
    ("course", {"course": "standard"}, 422),
    ("support_option", "gold", 422),
    ("support_option", None, 202),
    ("applicant", None, 422),
    ("applicant", [], 422),
    ("applicant", "hanako", 422),
    ("applicant.kind", "robot", 422),
    ("applicant.name", "", 422),
    ("applicant.name", "   ", 422),
    ("applicant.name", "\u3000", 422),
    ("applicant.name", 7, 422),
    ("applicant.name", "x" * 200, 202),
    ("applicant.name", "x" * 201, 422),
    ("applicant.name", "山田\r\nBcc: all@example.jp", 422),
    ("applicant.name", "a\x00b", 422),
    ("applicant.name", "\ud800", 422),
    ("applicant.name", "𠮷野 👩‍👩‍👧", 202),
    ("applicant.name", "'; drop table contract; --", 202),
    ("applicant.kana", MISSING, 422),
    ("applicant.email", "nobody", 422),
    ("applicant.email", "a@b", 422),
    ("applicant.email", "a b@example.jp", 422),
    ("applicant.email", "a@example.jp\nx", 422),
    ("applicant.email", "花子@example.jp", 422),
    ("applicant.email", f"{'a' * 250}@b.jp", 422),
    ("applicant.phone", 312345678, 422),
    ("applicant.phone", "03-1234-5678", 422),
    ("applicant.phone", "０３１２３４５６７８", 422),
    ("applicant.postal_code", "100-0001", 422),
    ("applicant.postal_code", 1000001, 422),
    ("applicant.address", "\t", 422),
    ("applicant.age", 33, 422),
    ("payment", MISSING, 422),
    ("payment.method", "cash", 422),
    ("payment.card_token", MISSING, 422),
    ("payment.card_token", "", 422),
    ("payment.card_token", 4242, 422),
    ("payment", {"method": "atone", "card_token": "tok_ok"}, 422),
    ("contract_id", "k-mine", 422),
    ("consent", "yes", 422),
]


def changed(where: str, what: Any) -> dict[str, Any]:
    """The application with something else at one place."""
    body: dict[str, Any] = json.loads(json.dumps(APPLICATION))
    *path, last = where.split(".")
    place = body
    for step in path:
        place = place[step]
    if what is MISSING:
        del place[last]
    else:
        place[last] = what
    return body


@pytest.mark.parametrize(("where", "what", "status"), APPLICATIONS)
def test_an_application_with(stack: Stack, where: str, what: Any, status: int) -> None:
    content = json.dumps(changed(where, what)).encode()
    answer = stack.call("POST", "/v1/applications", content=content)
    assert answer.status_code == status, answer.text
    if status == 422:
        fields = [fault["field"] for fault in answer.json()["errors"]]
        assert any(field == where or field.startswith(f"{where}.") for field in fields), fields
        assert all(fault["detail"] for fault in answer.json()["errors"])


def test_all_faults_are_named_at_once(stack: Stack) -> None:
    body = application(plan="none", applicant={"email": "none", "phone": "none"})
    fields = {f["field"] for f in stack.call("POST", "/v1/applications", json=body).json()["errors"]}
    assert fields == {"plan", "applicant.email", "applicant.phone"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"login_id": "KY0"}, ["password"]),
        ({"access_key": "ABCD2345", "customer_id": None}, ["customer_id"]),
        ({"login_id": "KY0", "access_key": "x"}, ["login_id", "password", "customer_id", "access_key"]),
        ({}, ["login_id", "password", "customer_id", "access_key"]),
    ],
)
def test_a_sign_in_names_the_half_that_is_missing(
    stack: Stack, body: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.call("POST", "/v1/sessions", json=body)
    assert (answer.status_code, [fault["field"] for fault in answer.json()["errors"]]) == (422, fields)


def test_what_was_sent_is_not_told_back(stack: Stack) -> None:
    answer = stack.call(
        "POST", "/v1/applications", json=application(applicant={"email": "hana ko@example.jp"})
    )
    assert "hana ko" not in answer.text


def test_the_same_key_twice_counts_as_its_last(stack: Stack) -> None:
    text = json.dumps(APPLICATION).replace('"product"', '"plan": "no such plan", "product"', 1)
    assert stack.call("POST", "/v1/applications", content=text.encode()).status_code == 202


BODIES: list[tuple[str, bytes, int]] = [
    ("empty", b"", 422),
    ("blank", b" \n", 422),
    ("broken", b'{"product": ', 422),
    ("trailing", b"{} {}", 422),
    ("a list", b"[]", 422),
    ("null", b"null", 422),
    ("a number", b"12", 422),
    ("a text", b'"hello"', 422),
    ("not a number", b'{"product": NaN}', 422),
    ("a form", b"product=rental&plan=wifi-100", 422),
    ("not UTF-8", b'{"product": "\xff"}', 422),
    ("nothing but bytes", bytes(range(256)), 422),
    ("deep", b"[" * 30_000 + b"]" * 30_000, 422),
    ("deep objects", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 422),
    ("many digits", b'{"product": ' + b"9" * 60_000 + b"}", 422),
    ("a great exponent", b'{"product": 1e999999}', 422),
    ("as large as may be", b'"' + b"x" * (64 * 1024 - 2) + b'"', 422),
    ("too large", b'"' + b"x" * (64 * 1024 - 1) + b'"', 413),
    ("huge", b"x" * 3_000_000, 413),
]


@pytest.mark.parametrize("keyed", [False, True], ids=["", "with a key"])
@pytest.mark.parametrize(("body", "status"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_body_that_is(stack: Stack, body: bytes, status: int, keyed: bool) -> None:
    headers = {"Idempotency-Key": "bad-input"} if keyed else {}
    for path in ("/v1/applications", "/v1/sessions", "/dev/v1/clock"):
        answer = stack.call("POST", path, content=body, headers=headers)
        assert answer.status_code == status, f"{path}: {answer.text}"


def test_where_no_body_is_taken_none_may_be_wrong(stack: Stack) -> None:
    line = active_line(stack)
    stack.at(range(2, 20))
    number, _ = line.approval_number()
    steps = (f"/conversions/{number}/take-up", f"/conversions/{number}/switch-over")
    for path in ("/logins/KY0/unlock", f"/contracts/{line.contract_id}/access-key", *steps):
        for body in (b"{", b"[]", b'{"note": "?"}'):
            assert stack.operate("POST", path, content=body).status_code == 422, path
        assert stack.operate("POST", path, json={}).status_code == 200, path


def test_a_body_without_an_end_is_not_read_to_it(stack: Stack) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 10_000
            yield b"x" * 10_000

    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):  # closed while we sent
        assert stack.call("POST", "/v1/applications", content=endless()).status_code == 413
    assert sent < 50_000_000


def test_whoever_hangs_up_in_the_midst_of_a_body_is_no_fault_of_ours(stack: Stack) -> None:
    log, marks = stack.service.data / "logs" / "api.log", [new_key(), ""]
    for mark in marks:
        told = f"POST /v1/sessions HTTP/1.1\r\nHost: here\r\nIdempotency-Key: {mark}\r\n" if mark else ""
        told = told or "POST /v1/sessions HTTP/1.1\r\nHost: here\r\n"
        with socket.create_connection((stack.http.base_url.host, stack.http.base_url.port)) as caller:
            caller.sendall(f"{told}Content-Length: 100\r\n\r\n{{".encode())
    eventually(lambda: log.read_text().count('"status": 400') >= len(marks))
    assert "ClientDisconnect" not in log.read_text()


PROCEDURES: list[tuple[str, Any, int]] = [
    ("plan_change", {"plan": "wifi-50"}, 422),
    ("plan_change", {"plan": "wifi-50", "course": "no such course"}, 422),
    ("plan_change", {"plan": "wifi-50", "course": "standard", "option": None}, 422),
    ("plan_change", {"plan": "wifi-50", "course": "standard", "consent": 1}, 422),
    ("plan_change", {"plan": "wifi-50", "course": "standard", "consent": True}, 422),
    ("cancellation", {"reason": "too dear"}, 422),
    ("cancellation", [], 422),
    ("support_option", {}, 422),
    ("support_option", {"option": "gold"}, 422),
    ("support_option", {"option": 0}, 422),
    ("payment_method", {"payment": {}}, 422),
    ("payment_method", {"payment": {"method": "credit_card"}}, 422),
    ("payment_method", {"payment": {"method": "credit_card", "card_token": "x" * 201}}, 422),
    ("payment_method", {"method": "atone"}, 422),
    ("no_such_kind", {}, 404),
    ("Cancellation", {}, 404),
]


@pytest.mark.parametrize("preview", ["", "/preview"], ids=["asked for", "previewed"])
@pytest.mark.parametrize(("kind", "body", "status"), PROCEDURES)
def test_a_procedure(rental: Rental, kind: str, body: Any, status: int, preview: str) -> None:
    answer = rental.customer.post(f"{rental.path}/procedures/{kind}{preview}", body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("registered-data", {}),
        ("registered-data", {"email": None}),
        ("registered-data", {"email": "x"}),
        ("registered-data", {"name": "somebody else"}),
        ("registered-data", {"phone": 9012345678}),
        ("registered-data", {"address": "  "}),
        ("notices", {}),
        ("notices", {"language": "fr"}),
        ("notices", {"braille": 1}),
        ("notices", {"braille": "true"}),
        ("notices", {"bill_mail": None}),
    ],
)
def test_own_data(rental: Rental, path: str, body: dict[str, Any]) -> None:
    answer = rental.customer.call("PATCH", f"{rental.path}/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert rental.read()["registered_data"]["name"] == APPLICANT["name"]


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "dance"}, {"action": None}, {"action": ["approve"]}, {"action": "done"}, {"note": "x"}]
    + [{"action": "approve", "note": note} for note in (1, "x" * 2001, "\x00")]
    + [{"action": "approve", "amount": 5}],
)
def test_a_task_is_not_dealt_with_by(stack: Stack, body: dict[str, Any]) -> None:
    task = stack.task("confirm_application", stack.apply())
    assert stack.operate("POST", f"/tasks/{task['task_id']}", json=body).status_code == 422


@pytest.mark.parametrize(
    "query",
    [f"limit={limit}" for limit in ("0", "201", "-1", "x", "1.5", "", "1e2", "%EF%BC%91", "true", "9" * 30)]
    + [f"cursor={cursor}" for cursor in ("", "x", "AAAA", "LTE=", "%00", "%ED%A0%80", "MA==", "9" * 300)]
    + [f"cursor={b64encode(b'0001-01-01T00:00:00+09:00 t-0').decode()}"],
)
def test_a_list_asked_for_with(stack: Stack, rental: Rental, query: str) -> None:
    own = ("/v1/contracts", f"{rental.path}/timeline", f"{rental.path}/procedures", "/v1/manuals")
    for path in (*own, "/dev/v1/outbox"):
        answer = rental.customer.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, query.partition("=")[0]), (
            path
        )
    for path in ("/tasks", "/contracts", "/disclosures", f"/contracts/{rental.contract_id}/timeline"):
        assert stack.operate("GET", f"{path}?{query}").status_code == 422, path


IDS = (
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF",
    "..%2F..",
    "'%20or%20'1'='1",
    "%F0%9F%98%80",
    "x" * 3000,
    "%20",
    "%25",
)


@pytest.mark.parametrize("name", IDS)
def test_an_id_that_nobody_gave_out_is_not_there(stack: Stack, rental: Rental, name: str) -> None:
    for path in (f"/v1/contracts/{name}", f"/v1/procedures/{name}", f"/v1/contracts/{name}/timeline"):
        assert rental.customer.get(path).status_code == 404, path
        assert stack.http.get(path).status_code in (401, 404), path
    assert stack.operate("GET", f"/contracts/{name}").status_code == 404
    assert stack.operate("POST", f"/tasks/{name}", json={"action": "approve"}).status_code == 404


def test_an_id_that_fits_into_no_index_is_not_there_with_a_key_either(stack: Stack) -> None:
    path = f"/v1/contracts/{token_hex(4000)}/membership"
    assert stack.call("POST", path, headers={"Idempotency-Key": new_key()}).status_code == 401


@pytest.mark.parametrize(
    "query", ["query=%00", "query=%", "query=" + "%25" * 500, "query=%ED%A0%80", "query=_"]
)
def test_operators_may_search_for_anything(stack: Stack, query: str) -> None:
    assert stack.operate("GET", f"/contracts?{query}").status_code == 200
    assert stack.operate("GET", f"/tasks?contract_id=%00&{query}").json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/contracts", "GET, HEAD"),
        ("PUT", "/v1/applications", "POST"),
        ("GET", "/v1/sessions", "POST"),
        ("POST", "/v1/catalogue", "GET, HEAD"),
        ("TRACE", "/healthz", "GET, HEAD"),
        ("PUT", "/v1/contracts/k-0/passport-ids", "GET, HEAD, POST"),
        ("GET", "/v1/contracts/k-0/passport-ids/i-0", "DELETE, PATCH"),
        ("HEAD", "/v1/applications", "POST"),
        ("DELETE", "/docs", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_405(
    stack: Stack, method: str, path: str, allowed: str
) -> None:
    answer = stack.call(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/contracts", "//", "/operator", "/docs/assets/nothing.js"])
def test_a_path_that_is_not_there_is_404(stack: Stack, path: str) -> None:
    answer = stack.call("GET", path)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)

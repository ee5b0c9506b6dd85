"""The OpenAPI document: its examples work when pasted, and nothing that follows it meets an undocumented answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from pydantic import create_model
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import bodies, openapi
from api.app import make_app
from settings import Settings
from tests.stack import Rental, Stack

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


BODILESS = ("/unlock", "/access-key", "/authentication-keys", "/take-up", "/switch-over")


def test_every_operation_says_what_it_does_what_it_takes_and_what_it_answers(stack: Stack) -> None:
    document = stack.document.document
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        success = [response for status, response in operation["responses"].items() if status.startswith("2")]
        assert len(success) == 1, where
        for kind, content in success[0]["content"].items():
            schema = content["schema"]
            assert kind != "application/json" or re.fullmatch(r"#/components/schemas/\w+", schema["$ref"]), (
                where
            )
        if method in ("POST", "PATCH") and not path.endswith(BODILESS):
            content = operation["requestBody"]["content"]["application/json"]
            assert "example" in content or content["examples"], where


def bodies_taken(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each example of a body, with the schema of the bodies that are taken."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        examples = [named["value"] for named in content.get("examples", {}).values()]
        for value in examples or [content["example"]]:
            yield content["schema"], value


def test_each_example_of_a_body_is_one_that_the_document_allows(tmp_path: Path) -> None:
    document = make_app(Settings(data_dir=tmp_path)).openapi()
    for method, path, operation in operations(document):
        for schema, value in bodies_taken(operation):
            validator = jsonschema_rs.validator_for({**schema, "components": document["components"]})
            faults = [fault.message for fault in validator.iter_errors(value)]
            assert faults == [], f"{method} {path}: {value}"


def headers(document: dict[str, Any], header: str) -> set[str]:
    """The operations that read it."""
    return {
        f"{method} {path}"
        for method, path, operation in operations(document)
        if header in {parameter["name"] for parameter in operation.get("parameters", [])}
    }


def test_each_header_that_is_read_is_named_where_it_is(tmp_path: Path) -> None:
    document = make_app(Settings(data_dir=tmp_path)).openapi()
    everything = {f"{method} {path}" for method, path, _ in operations(document)}
    posts = {name for name in everything if name.startswith("POST ")}
    assert headers(document, "Accept-Language") == everything - {"GET /healthz"}
    assert headers(document, "Idempotency-Key") == posts
    assert headers(document, "Line-Assertion") == {
        "POST /v1/purchases",
        "POST /v1/contracts/{contract_id}/point-exchanges",
    }


def test_one_name_never_stands_for_two_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = create_model("Applied", somewhere_else=(int, ...))
    monkeypatch.setattr(openapi, "MODELS", [*bodies.MODELS, another])
    with pytest.raises(ValueError, match="Applied"):
        make_app(Settings(data_dir=tmp_path)).openapi()


def example(stack: Stack, method: str, path: str, name: str | None = None) -> Any:
    """The example of a body in the document."""
    operation = stack.document.document["paths"][path][method.lower()]
    content = operation["requestBody"]["content"]["application/json"]
    return content["examples"][name]["value"] if name else content["example"]


def test_the_examples_lead_from_application_to_another_plan(stack: Stack) -> None:
    """Pasted one after the other; only IDs, the login and the consent come from the answers before."""
    body = example(stack, "POST", "/v1/applications", "rental")
    contract_id = stack.call("POST", "/v1/applications", json=body).json()["contract_id"]
    task = stack.task("confirm_application", contract_id)
    body = example(stack, "POST", "/operator/v1/tasks/{task_id}")
    assert stack.operate("POST", f"/tasks/{task['task_id']}", json=body).status_code == 200
    login = stack.mailed("login", contract_id)["fields"]
    body = example(stack, "POST", "/v1/sessions")
    assert stack.call("POST", "/v1/sessions", json=body).status_code == 401
    token = stack.call("POST", "/v1/sessions", json={name: login[name] for name in body}).json()["token"]
    stack.ship(contract_id)
    for name in ("registered-data", "notices"):
        body = example(stack, "PATCH", f"/v1/contracts/{{contract_id}}/{name}")
        assert stack.call("PATCH", f"/v1/contracts/{contract_id}/{name}", token, json=body).status_code == 200


def test_the_example_of_an_application_for_a_line_leads_to_a_line(stack: Stack) -> None:
    body = example(stack, "POST", "/v1/applications", "line")
    contract_id = stack.call("POST", "/v1/applications", json=body).json()["contract_id"]
    stack.approve(contract_id)
    stack.do("report_opening", contract_id)
    seen = stack.operate("GET", f"/contracts/{contract_id}").json()
    assert (seen["product"], seen["state"], seen["line_type"]) == ("line", "active", body["line_type"])


KIND = "/v1/contracts/{contract_id}/procedures/{kind}"


@pytest.mark.parametrize("kind", ["plan_change", "cancellation", "support_option", "payment_method"])
def test_the_example_of_a_procedure_works(stack: Stack, kind: str) -> None:
    rental = stack.active_contract(**example(stack, "POST", "/v1/applications", "rental"))
    stack.at(day=2)
    preview = rental.preview(kind, **example(stack, "POST", f"{KIND}/preview", kind))
    assert preview.status_code == 200
    body = example(stack, "POST", KIND, kind)
    if "consent" in body:
        body["consent"] = preview.json()["consent"]
    assert rental.ask(kind, **body).status_code == 202


def test_the_example_of_a_move_works(stack: Stack) -> None:
    body = example(stack, "POST", "/dev/v1/clock")
    to, before = datetime.fromisoformat(body["to"]), stack.now()
    answer = stack.call("POST", "/dev/v1/clock", json=body)
    # Other tests may have moved the clock beyond it.
    assert answer.status_code == (200 if before < to else 409)
    assert stack.now() >= to


@pytest.fixture
def known(stack: Stack, rental: Rental) -> dict[str, str]:
    """IDs that are there, for paths that would otherwise lead nowhere."""
    task = stack.task("confirm_application", stack.apply())
    return {
        "contract_id": rental.contract_id,
        "procedure_id": rental.items("/procedures")[0]["procedure_id"],
        "task_id": task["task_id"],
        "manual": "wifi-start",
    }


@pytest.mark.timeout(400)
def test_nothing_that_follows_the_document_meets_an_undocumented_answer(
    stack: Stack, rental: Rental, known: dict[str, str]
) -> None:
    """Valid and invalid requests of every operation; half of them about things that are there."""
    schema = schemathesis.openapi.from_dict(stack.document.document)
    schema.config.update(base_url=stack.note["api"])
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path == "/dev/v1/clock" and operation.method == "post":
            continue  # it would move the clock of all tests to anywhere
        token = stack.operator_token if operation.path.startswith("/operator") else rental.customer.token
        given(case=cases(operation))(EXAMPLES(attempt(token, known)))()
    assert stack.call("GET", "/readyz").status_code == 200


def cases(operation: Any) -> Any:
    """Requests that keep to the document, and such that do not."""
    wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    return strategies.one_of(operation.as_strategy(), wrong)


def attempt(token: str, known: dict[str, str]) -> Callable[[Any], None]:
    """Sends a request and checks its answer; every other one is about things that are there."""
    turns = cycle([True, False])

    def try_it(case: Any) -> None:
        if next(turns):
            given_ids = case.path_parameters or {}
            case.path_parameters = {name: known.get(name, value) for name, value in given_ids.items()}
        answer = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    return try_it

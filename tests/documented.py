"""Holds every answer that a test sees against the OpenAPI document: its status, its kind, its schema."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import httpx
import jsonschema_rs


class Document:
    """The OpenAPI document of a running service."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        # By the identity of the schema, which the document keeps alive.
        self._validators: dict[int, jsonschema_rs.Validator] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
        paths = self.document["paths"]
        return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), paths[path]) for path in paths]

    def check(self, answer: httpx.Response) -> None:
        """Fails where the answer is not as documented, or a success says what is not documented at all.

        Paths and methods that are not there are nobody's promise.
        """
        operation = self._operation(answer.request.method.lower(), answer.request.url.path)
        if operation is None:
            return
        where = f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}"
        assert str(answer.status_code) in operation["responses"], f"{where}, which is not documented"
        documented = operation["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in documented, f"{where} as {kind}, documented as {list(documented)}"
        if kind.endswith("json"):
            value = answer.json()
            validator = self._validator(documented[kind]["schema"], closed=answer.is_success)
            faults = [fault.message for fault in validator.iter_errors(value)]
            assert faults == [], f"{where}: {faults}: {value}"
        if answer.status_code == 422 and "accept-language" not in answer.request.headers:
            assert not any(fault["detail"].isascii() for fault in answer.json().get("errors", [])), where

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, methods in self._paths:
            if pattern.fullmatch(path) and method in methods:
                return dict(methods[method])
        return None

    def _validator(self, schema: dict[str, Any], closed: bool) -> jsonschema_rs.Validator:
        """Built once a schema: to build one costs a hundred times what to ask it costs."""
        if id(schema) not in self._validators:
            components = self.document["components"]
            whole = {**schema, "components": _closed(components) if closed else components}
            self._validators[id(schema)] = jsonschema_rs.validator_for(whole, validate_formats=True)
        return self._validators[id(schema)]


def _closed(schema: Any) -> Any:
    """The schema, with no members but those that it names."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    is_object = schema.get("type") == "object" and "properties" in schema
    return {"additionalProperties": False, **closed} if is_object else closed

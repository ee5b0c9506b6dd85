"""The OpenAPI document: FastAPI's, with the bodies that are read by hand and the problem documents added."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.bodies import MODELS

DESCRIPTION = """Contracts that run themselves: from application to end, each request judged by the rulebook at the
moment it is accepted. A refusal is a problem document with the ID of its rule and, where the calendar is the cause,
`opens_at`: when the same request would be taken."""

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "rule": {"type": "string", "description": "The ID of the rule that refuses"},
        "opens_at": {"type": "string", "format": "date-time"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
EVERYWHERE = {
    "400": "Not HTTP as it should be",
    "422": "Malformed, each fault named by field",
    "503": "A part is down",
}
PROTECTED = {
    "401": "Not signed in",
    "403": "Signed in but not allowed",
    "404": "Not there, or somebody else's",
}
POSTED = {"409": "Refused by a rule", "413": "Too large"}
CONSENTED = {
    "412": "The consent holds no more; the new preview is in `preview`",
    "428": "A consent is needed",
}
PUBLIC = ("/healthz", "/readyz", "/v1/catalogue", "/dev/")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="Keiyaku", version=app.version, description=DESCRIPTION, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name, model in MODELS.items():
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {name: schema}
        schemas["Problem"] = PROBLEM
        document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _complete(path, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    found = dict(EVERYWHERE)
    if not path.startswith(PUBLIC):
        found |= PROTECTED
        operation["security"] = [{"bearer": []}]
    if method in ("post", "patch") or path.endswith(".pdf"):
        found |= POSTED
    if "procedures/{kind}" in path:
        found |= CONSENTED
    if path == "/v1/sessions":
        found |= {"429": "Too many wrong tries"}
    if method == "post":
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, text in found.items():
        operation["responses"][status] = {"description": text, "content": content}

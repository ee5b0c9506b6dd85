"""The OpenAPI document: FastAPI's, with the bodies that are read by hand, the answers and the problem documents added."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.bodies import MODELS
from api.paths import MAY_HAVE_TOKEN, needs_token
from api.shown import ANSWERS as COMMON_ANSWERS
from api.shown import FILES
from api.shown_bills import BILL_ANSWERS
from api.shown_catalogue import CATALOGUE_ANSWERS
from api.shown_jobs import JOB_ANSWERS
from api.shown_line import LINE_ANSWERS
from api.shown_payments import PAYMENT_ANSWERS

ANSWERS = {
    **COMMON_ANSWERS,
    **CATALOGUE_ANSWERS,
    **LINE_ANSWERS,
    **JOB_ANSWERS,
    **BILL_ANSWERS,
    **PAYMENT_ANSWERS,
}
DESCRIPTION = """Contracts that run themselves: from application to end, each request judged by the rulebook at the
moment it is accepted. A refusal is a problem document with the ID of its rule and, where the calendar is the cause,
`opens_at`: when the same request would be taken. Texts are Japanese, or English by `Accept-Language`.

Customers sign in at `/v1/sessions`, operators use the token of the configuration; both send `Authorization: Bearer`."""

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "rule": {"type": "string", "description": "The ID of the rule that refuses"},
        "opens_at": {
            "type": "string",
            "format": "date-time",
            "description": "The next instant at which the same request would be taken",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "preview": {"$ref": "#/components/schemas/Preview"},
        "legacy_page": {"type": "string", "description": "Where a card of an old application is changed"},
        "done_by": {"type": "string", "description": "Who dealt with the task"},
        "done_at": {"type": "string", "format": "date-time"},
        "needs": {"type": "string", "description": "The run that has to be done first"},
        "left": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Contracts that the run could not deal with",
        },
    },
}
CANNOT_BE_MISSING = (
    "/v1/contracts",
    "/v1/manuals",
    "/operator/v1/tasks",
    "/operator/v1/contracts",
    "/operator/v1/jobs",
    "/operator/v1/disclosures",
)
FROM_A_LINE = ("/v1/purchases", "/v1/contracts/{contract_id}/point-exchanges")
REFERENCE = "#/components/schemas/{model}"

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same body is answered again and not done again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
_LINE = {
    "name": "Line-Assertion",
    "in": "header",
    "description": "The token by which the access network says from which line this comes; none that holds: from no line",
    "schema": {"type": "string"},
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "Of the texts for people, those of problems too: `ja`, the default, or `en`",
    "schema": {"type": "string", "default": "ja"},
}
_PAGE = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many items at most",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "`next_cursor` of the page before",
        "schema": {"type": "string"},
    },
]
_HEADERS = {
    "Retry-After": {"description": "Seconds", "schema": {"type": "integer"}},
    "Idempotency-Replayed": {
        "description": "`true` where this is the first answer again",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="Keiyaku", version=app.version, description=DESCRIPTION, routes=app.routes
        )
        schemas = document.setdefault("components", {})["schemas"] = {"Problem": PROBLEM}
        for model in [*MODELS, *(model for _, model in ANSWERS.values())]:
            _add(schemas, model)
        document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _complete(path, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _add(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    mode = "validation" if model in MODELS else "serialization"
    schema = model.model_json_schema(ref_template=REFERENCE, mode=mode)  # type: ignore[arg-type]
    for name, found in [*schema.pop("$defs", {}).items(), (_name(model), schema)]:
        if schemas.setdefault(name, found) != found:
            raise ValueError(f"Two schemas are called {name}: one would be shown in the other's place.")


def _name(model: type[BaseModel]) -> str:
    return model.__name__.replace("[", "_").replace("]", "")


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    name = f"{method} {path}"
    parameters = operation.setdefault("parameters", [])
    if method == "post":
        parameters.append(_KEY)
        parameters += [_LINE] if path in FROM_A_LINE else []
    if name in ANSWERS:
        status, model = ANSWERS[name]
        if "next_cursor" in model.model_fields:
            parameters += _PAGE
        answer = {"application/json": {"schema": {"$ref": REFERENCE.format(model=_name(model))}}}
        operation["responses"][status]["content"] = answer
        if method == "post":
            operation["responses"][status]["headers"] = _header("Idempotency-Replayed")
    elif name in FILES:
        operation["responses"]["200"]["content"] = {
            FILES[name]: {"schema": {"type": "string", "format": "binary"}}
        }
    if path in MAY_HAVE_TOKEN:
        operation["security"] = [{"bearer": []}, {}]
    elif needs_token(path):
        operation["security"] = [{"bearer": []}]
    operation["responses"].pop("422", None)  # FastAPI's own; ours is a problem document
    takes_query = any(parameter["in"] == "query" for parameter in parameters)
    problems = _problems(path, method, takes_query)
    parameters += [_LANGUAGE] if problems else []
    for status, text in problems.items():
        operation["responses"][status] = {
            "description": text,
            "content": {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}},
            **({"headers": _header("Retry-After")} if status in ("429", "503") else {}),
        }


def _problems(path: str, method: str, takes_query: bool) -> dict[str, str]:
    """Which problems the operation may answer with."""
    sends, consents = method in ("post", "patch"), path.endswith("procedures/{kind}")
    public = not needs_token(path)
    answers = {
        "401": ("Not signed in", not public or path in (*MAY_HAVE_TOKEN, "/v1/sessions")),
        "403": ("Signed in but not allowed", not public),
        "404": (
            "Not there, or somebody else's",
            path.endswith("/{link_token}") or (not public and path not in CANNOT_BE_MISSING),
        ),
        "409": (
            "Refused by a rule",
            (sends and path != "/v1/sessions") or method == "delete" or "/receipts/" in path,
        ),
        "410": (
            "What the remembered answer told of is deleted",
            method == "post" and "/contracts/{contract_id}/" in path,
        ),
        "412": ("The consent holds no more; the new preview is in `preview`", consents),
        "413": ("Too large", sends),
        "422": ("Malformed, each fault named by field", sends or takes_query),
        "428": ("A consent is needed", consents),
        "429": ("Too many wrong tries", path in ("/v1/sessions", "/v1/purchases")),
        "503": ("A part is down", path != "/healthz"),
    }
    return {status: text for status, (text, possible) in answers.items() if possible}


def _header(name: str) -> dict[str, Any]:
    return {name: _HEADERS[name]}

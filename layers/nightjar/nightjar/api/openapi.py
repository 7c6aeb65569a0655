"""The OpenAPI document, made of the table of routes and the pydantic models, ahead of time.

`python -m nightjar.api.openapi docs/openapi.json` writes it for readers, and beside this file, without spaces, as the function serves it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from nightjar.api.docs import SERVED
from nightjar.api.links import links, operation_id
from nightjar.api.models.base import Answer, Body
from nightjar.api.routes import ROUTES, Query, Route
from nightjar.http.errors import compact

_ABOUT = (
    "Alerts on your own AWS account for background jobs, agents and services. Compatible with the Chirpier v1.0 contract. In requests "
    "unknown fields are ignored and null counts as absent; PUT changes the fields it names and keeps the rest."
)
_PAGING = (
    ("limit", {"type": "integer", "minimum": 1, "maximum": 1_000}, "how many rows; default 1,000, of event logs and deliveries 100"),
    ("offset", {"type": "integer", "minimum": 0, "maximum": 100_000}, "how many rows to pass over; best effort"),
    ("cursor", {"type": "string"}, "from the Link header of the page before"),
)
_BLANK = {"allowEmptyValue": True}  # it counts as absent
_ERRORS = {
    400: "The request breaks a rule; the message names the field.",
    401: "There is no key, or it is unknown or revoked.",
    403: "The key may only send logs.",
    404: "There is no such thing.",
    405: "The route exists, for other methods.",
    409: "What is stored forbids it.",
    413: "The body is larger than 4 MiB once inflated.",
    415: "The body is encoded in a way that is not read here.",
    422: "It refers to something that is not there.",
    429: "Not now: come again after Retry-After seconds.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string", "description": "Names the field and what was wrong with it."},
                "event_id": {"type": "string", "format": "uuid", "description": "Of a conflict: the event that there is."},
                "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejected"}, "description": "When every log was rejected: why."},
            },
        }
    },
}


def document() -> dict[str, Any]:
    """Return the document."""
    schemas = _schemas()
    paths: dict[str, Any] = {}
    for route in ROUTES:
        path = route.path.replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nightjar", "version": "1.0", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": _ERROR},
            "responses": {str(status): _failure(status) for status in _ERRORS},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "chp_…"}},
        },
        "security": [{"key": []}],
    }


def _schemas() -> dict[str, Any]:
    """Return the schemas of all models; a body that creates has its required fields marked in a schema of its own."""
    bodies = sorted({route.body for route in ROUTES if route.body}, key=_name)
    answers = sorted({answer for route in ROUTES for answer in (route.answer, route.raw) if answer}, key=_name)
    wanted: list[Any] = [(model, "validation") for model in bodies] + [(model, "serialization") for model in answers]
    _, found = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = found["$defs"]
    for body in bodies:
        fields = schemas[body.__name__]["properties"]
        for name in body.clearable:
            fields[name]["anyOf"].append({"const": ""})  # takes the setting away
        there = {name: fields[name]["anyOf"][0] for name in (*body.required, *body.either)}  # null counts as absent
        schemas[_new(body)] = {
            "allOf": [_ref(body.__name__)],
            "required": list(body.required),
            "properties": {name: there[name] for name in body.required},
            **({"anyOf": [{"required": [name], "properties": {name: there[name]}} for name in body.either]} if body.either else {}),
        }
    return dict(sorted(schemas.items()))


def _operation(route: Route) -> dict[str, Any]:
    """Describe one route."""
    ids = [part[1:-1] for part in route.parts if part.startswith("<")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}} for name in ids]
    parameters += [_parameter(query) for query in route.query]
    if route.listed:
        parameters += [{"name": name, "in": "query", "schema": schema, "description": about, **_BLANK} for name, schema, about in _PAGING]
    found: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": _summary(route),
        "parameters": parameters,
        "responses": {str(route.status): _success(route), **{str(status): {"$ref": f"#/components/responses/{status}"} for status in _statuses(route)}},
    }
    if route.body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(route)}}}
    if route.open:
        found["security"] = []
    return found


def _summary(route: Route) -> str:
    """Return the first line of what the function says of itself."""
    if route.run is None:
        return "Send one log, or an array of them; a log_id makes a retry safe."
    return (route.run.__doc__ or "").partition("\n")[0]


def _statuses(route: Route) -> list[int]:
    """Return the refusals that a route knows."""
    found = {400, 429}
    found |= set() if route.open else {401, 403}
    found |= {404} if "<" in route.path else set()
    found |= {413, 415} if route.body else set()
    found |= {409} if route.method == "POST" and route.path.endswith(("/events", "/acknowledge", "/resolve", "/archive", "/resend")) else set()
    found |= {409} if route.path.endswith(("/<event_id>/logs", "/analytics", "/preview")) else set()  # a bucket that cannot be read
    found |= {422} if route.body and route.path.startswith(("/v1.0/policies", "/v1.0/destinations", "/v1.0/mutes")) else set()
    return sorted(set() if route.open else found)


def _body(route: Route) -> dict[str, Any]:
    """Return the schema of a route's body."""
    assert route.body  # noqa: S101
    name = _new(route.body) if route.method == "POST" else route.body.__name__
    one = _ref(name)
    return {"anyOf": [{"type": "array", "items": one}, one]} if route.run is None else one


def _success(route: Route) -> dict[str, Any]:
    """Describe the answer of success."""
    if route.answer is None:
        content = "text/html" if route.path == "/docs" else "application/json"
        return {"description": _summary(route), "content": {content: {}}}
    schema = _ref(route.answer.__name__)
    if route.raw:
        schema = {"anyOf": [schema, _ref(route.raw.__name__)]}
    answer = {"type": "array", "items": schema} if route.listed else schema
    found: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": answer}}}
    if leading := links(route):
        found["links"] = leading
    if route.listed:
        found["headers"] = {"Link": {"description": "rel=next: the next page, if there is one", "schema": {"type": "string"}}}
    return found


def _failure(status: int) -> dict[str, Any]:
    """Describe a refusal."""
    found: dict[str, Any] = {"description": _ERRORS[status], "content": {"application/json": {"schema": _ref("Error")}}}
    if status == 429:  # noqa: PLR2004
        found["headers"] = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer", "minimum": 1}}}
    return found


def _parameter(query: Query) -> dict[str, Any]:
    """Describe a query parameter."""
    schema: dict[str, Any] = {"type": "string", **({"enum": list(query.choices)} if query.choices else {})}
    blank = {} if query.required else _BLANK
    return {"name": query.name, "in": "query", "required": query.required, "schema": schema, "description": query.about, **blank}


def _name(model: type[Body] | type[Answer]) -> str:
    """Return what orders models, so that the document is the same each time."""
    return model.__name__


def _new(body: Any) -> str:
    """Name the schema of a body that creates."""
    return f"New{body.__name__.removesuffix('Body')}"


def _ref(name: str) -> dict[str, Any]:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def text() -> str:
    """Write the document as it is kept in docs/openapi.json."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    SERVED.write_text(compact(document()) + "\n", encoding="utf-8")

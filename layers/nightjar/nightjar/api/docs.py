"""The description of this API: the OpenAPI document, a page that shows it, and the answer that says we live."""

from functools import cache
from html import escape
from typing import Any

from nightjar.api.requests import Call, Reply

_HTML = (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code{background:#f2f2f2;padding:.1rem .3rem;border-radius:3px}h2{margin-top:2.5rem;font-size:1.1rem}"
    "table{border-collapse:collapse}td,th{border-bottom:1px solid #ddd;padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}"
)


def openapi(call: Call) -> Reply:  # noqa: ARG001
    """Answer the OpenAPI document."""
    return Reply(_document())


def page(call: Call) -> Reply:  # noqa: ARG001
    """Answer the page that shows the document; it loads nothing from elsewhere."""
    return Reply(_page(), headers=_HTML)


def healthz(call: Call) -> Reply:  # noqa: ARG001
    """Say that the function answers."""
    return Reply({"status": "ok"})


@cache
def _document() -> dict[str, Any]:
    """Return the document, made once when somebody asks."""
    from nightjar.api.openapi import document

    return document()


@cache
def _page() -> str:
    """Write the page."""
    found = _document()
    schemas = found["components"]["schemas"]
    routes = "".join(_route(path, method, route) for path, methods in found["paths"].items() for method, route in methods.items())
    shapes = "".join(_shape(name, schema) for name, schema in schemas.items())
    about = escape(found["info"]["description"])
    link = '<p><a href="v1.0/openapi.json">openapi.json</a></p>'
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nightjar API</title><style>{_STYLE}</style>'
    return f"{head}<h1>Nightjar API</h1><p>{about}</p>{link}{routes}<h1>Bodies and answers</h1>{shapes}</html>"


def _route(path: str, method: str, route: dict[str, Any]) -> str:
    """Write one route: what it does, its parameters, what goes in and out."""
    parameters = [found for found in route.get("parameters", []) if found["in"] == "query"]
    rows = "".join(f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one.get('description', ''))}</td></tr>" for one in parameters)
    table = f"<table>{rows}</table>" if rows else ""
    return f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(route['summary'])}</p>{table}"


def _shape(name: str, schema: dict[str, Any]) -> str:
    """Write one body or answer: its fields and their types."""
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{escape(_type(found))}</td><td>{escape(found.get('description', ''))}</td></tr>"
        for field, found in schema.get("properties", {}).items()
    )
    return f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{escape(schema.get("description", ""))}</p><table>{rows}</table>'


def _type(found: dict[str, Any]) -> str:
    """Name a field's type in a few words."""
    if "enum" in found:
        return ", ".join(str(word) for word in found["enum"])
    if "anyOf" in found:
        return " or ".join(_type(one) for one in found["anyOf"])
    if "$ref" in found:
        return str(found["$ref"]).rsplit("/", 1)[-1]
    if found.get("type") == "array":
        return f"list of {_type(found.get('items', {}))}"
    return str(found.get("format") or found.get("type") or "anything")

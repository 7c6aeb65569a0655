"""The description of this API: the OpenAPI document, a page that shows it, and the answer that says we live."""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from nightjar.api.requests import Call, Reply

SERVED = Path(__file__).with_name("openapi.json")  # made by openapi.py

_HTML = (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code{background:#f2f2f2;padding:.1rem .3rem;border-radius:3px}h2{margin-top:2.5rem;font-size:1.1rem}"
    "table{border-collapse:collapse}td,th{border-bottom:1px solid #ddd;padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}"
    "nav{columns:2}nav a{display:block}.small{color:#666;font-size:.9rem}"
)
_BOUNDS = {"minLength": "at least {} characters", "maxLength": "at most {} characters", "minimum": "from {}", "maximum": "to {}", "maxItems": "at most {}"}
_ABOUT_KEYS = "Every route but the last three wants <code>Authorization: Bearer chp_…</code>; errors are always an <a href='#Error'>Error</a>."


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
    """Return the document, read once when somebody asks."""
    found: dict[str, Any] = json.loads(SERVED.read_text(encoding="utf-8"))
    return found


@cache
def _page() -> str:
    """Write the page."""
    found = _document()
    routes = [(path, method, route) for path, methods in found["paths"].items() for method, route in methods.items()]
    contents = "".join(f'<a href="#{route["operationId"]}"><code>{method.upper()} {escape(path)}</code></a>' for path, method, route in routes)
    shapes = "".join(_shape(name, schema) for name, schema in found["components"]["schemas"].items())
    about = f"<p>{escape(found['info']['description'])}</p><p>{_ABOUT_KEYS}</p>"
    link = '<p><a href="v1.0/openapi.json">openapi.json</a></p>'
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nightjar API</title><style>{_STYLE}</style>'
    body = f"{link}<nav>{contents}</nav>{''.join(_route(*one) for one in routes)}<h1>Bodies and answers</h1>{shapes}"
    return f"{head}<h1>Nightjar API</h1>{about}{body}</html>"


def _route(path: str, method: str, route: dict[str, Any]) -> str:
    """Write one route: what it does, what goes in, what comes out, its parameters."""
    parameters = [found for found in route.get("parameters", []) if found["in"] == "query"]
    rows = "".join(_row(one["name"], one["schema"], one.get("description", "")) for one in parameters)
    taken = _type(route["requestBody"]["content"]["application/json"]["schema"]) if "requestBody" in route else ""
    (status, success), *refusals = route["responses"].items()
    content = success.get("content", {}).get("application/json", {})
    answered = f"Answers {status} {_type(content['schema'])}" if "schema" in content else f"Answers {status}"
    others = f"; refusals {', '.join(one for one, _ in refusals)}" if refusals else ""
    head = f'<h2 id="{route["operationId"]}"><code>{method.upper()} {escape(path)}</code></h2><p>{_words(route["summary"])}</p>'
    table = f"<table>{rows}</table>" if rows else ""
    return f'{head}<p class="small">{f"Takes {taken}. " if taken else ""}{answered}{others}.</p>{table}'


def _shape(name: str, schema: dict[str, Any]) -> str:
    """Write one body or answer: its fields and their types."""
    base = "".join(f"<p>{_type(one)}, and these fields are required:</p>" for one in schema.get("allOf", []))
    either = " or ".join(f"<code>{escape(one['required'][0])}</code>" for one in schema.get("anyOf", []))
    rows = "".join(_row(field, found, found.get("description", "")) for field, found in schema.get("properties", {}).items())
    about = f"<p>{_words(schema.get('description', ''))}</p>"
    return f'<h2 id="{escape(name)}">{escape(name)}</h2>{about}{base}<table>{rows}</table>{f"<p>Also {either}.</p>" if either else ""}'


def _row(name: str, schema: dict[str, Any], about: str) -> str:
    """Write a row of a table: a field or a parameter."""
    return f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}</td><td>{_words(about)}</td></tr>"


def _words(text: str) -> str:
    """Write a text as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _type(found: dict[str, Any]) -> str:
    """Name a type in a few words, as HTML."""
    if "enum" in found:
        return escape(", ".join(str(word) for word in found["enum"]))
    if "anyOf" in found and found.get("type") != "string":
        named = (_type(one) for one in found["anyOf"] if one.get("const") != "")
        return " or ".join(dict.fromkeys(name for name in named if name != "null"))
    if "$ref" in found:
        name = escape(str(found["$ref"]).rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if found.get("type") == "array":
        return f"list of {_type(found.get('items', {}))}"
    if "anyOf" in found or found.get("format") == "date-time":
        return "instant"
    bounds = [words.format(found[name]) for name, words in _BOUNDS.items() if name in found]
    return escape(", ".join([str(found.get("format") or found.get("type") or "anything"), *bounds]))

"""A REST API with proxy integrations: which function a request goes to, as which event, and what its answer becomes.

Rule: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local import rules
from local.stack import Api, Route
from local.wire import Request, Response

# The gateway always says https and 443; here a client came by http, and a Link must lead back the same way.
_FORWARDED = (("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "http"))
_VARIABLE = re.compile(r"\{([A-Za-z0-9_]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its path's variables."""

    route: Route
    variables: Mapping[str, str]


def find(routes: Sequence[Route], method: str, path: str) -> Match | None:
    """Find the route of a request: an exact path before one with variables, {name} before {name+}, the method before ANY."""
    found = [(match, route) for route in routes if route.method in {method, "ANY"} and (match := _pattern(route.path).fullmatch(path))]
    if not found:
        return None
    match, route = min(found, key=lambda each: (each[1].path.count("+}"), each[1].path.count("{"), each[1].method == "ANY"))
    return Match(route, {name: unquote(value) for name, value in match.groupdict().items()})


def _pattern(path: str) -> re.Pattern[str]:
    parts = _VARIABLE.split(path)
    text = re.escape(parts[0])
    for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(literal)
    return re.compile(text)


def to_event(api: Api, match: Match, request: Request, *, request_id: str, now: float) -> dict[str, Any]:
    """Word a request as the gateway does.

    Args:
        api: The REST API.
        match: Where the request goes.
        request: What the client sent.
        request_id: A new one.
        now: Seconds.
    """
    port = request.header("host").rpartition(":")[2]
    headers = [*request.headers, *_FORWARDED, ("X-Forwarded-Port", port if port.isdigit() else "80"), ("X-Amzn-Trace-Id", f"Root={request_id}")]
    query = parse_qsl(request.query, keep_blank_values=True)
    is_binary = bool(request.body) and _is_binary(api, request.header("content-type"))
    body = base64.b64encode(request.body).decode() if is_binary else request.body.decode("utf-8", "replace")
    return {
        "resource": match.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": dict(match.variables) or None,
        "stageVariables": None,
        "requestContext": _context(api, match, request, request_id, now),
        "body": body or None,
        "isBase64Encoded": is_binary,
    }


def _context(api: Api, match: Match, request: Request, request_id: str, now: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, UTC)
    return {
        "accountId": "123456789012",
        "apiId": "local",
        "domainName": request.header("host"),
        "domainPrefix": "local",
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": request.header("user-agent") or None},
        "path": request.path,  # as under a domain of one's own: no stage
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": "local",
        "resourcePath": match.route.path,
        "stage": api.stage,
    }


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _is_binary(api: Api, content_type: str) -> bool:
    kinds = {each.replace("~1", "/") for each in api.binary}
    kind = content_type.partition(";")[0].strip().lower()
    return "*/*" in kinds or kind in kinds or f"{kind.partition('/')[0]}/*" in kinds


def from_answer(api: Api, payload: bytes) -> Response:
    """Turn what a function returned into what the client gets; an answer that is none is the gateway's own 5xx."""
    try:
        answer = json.loads(payload)
        status = int(answer["statusCode"])
        text = "" if answer.get("body") is None else answer["body"]
        body = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        headers = {name: _header(value) for name, value in (answer.get("headers") or {}).items()}
        headers |= {name: [_header(value) for value in values] for name, values in (answer.get("multiValueHeaders") or {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return own(api, "DEFAULT_5XX")
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return Response(status, kept, body)


def _header(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def own(api: Api, kind: str) -> Response:
    """Word an answer of the gateway's own, as the template says."""
    status = rules.GATEWAY_STATUS[kind]
    message = rules.GATEWAY_MESSAGE.get(kind, "")
    fallback = "DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX"  # noqa: PLR2004
    found = api.responses.get(kind) or api.responses.get(fallback)
    if found is None:
        return Response(status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode())
    body = found.body.replace("$context.error.messageString", json.dumps(message))
    return Response(found.status or status, {"Content-Type": "application/json", **found.headers}, body.encode())

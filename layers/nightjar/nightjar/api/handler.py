"""From API Gateway's event to a route and back: the key first, then the route, then the envelope of whatever went wrong.

Powertools' resolver keeps the running request on a class that all of its instances share, and makes each route's call stack at
the route's first call, without a lock. The local runner answers requests side by side, so routes are found here instead.
"""

from typing import Any

from nightjar.api.requests import Call
from nightjar.api.routes import ROUTES, Route
from nightjar.http.auth import authenticate
from nightjar.http.errors import MethodNotAllowed, NotFound, Response, answered, exact, respond
from nightjar.storage.client import Store

_KEYED = "v1.0"

# A slash too many leads past the ingest function, and the SDKs drop their logs on a 404, 403 or 405. They follow a 308, body and key
# with it; a relative address holds whatever stage or domain they came by.
_LOGS = ("v1.0", "logs")
_SAME_ELSEWHERE = 308


def handle(store: Store, event: dict[str, Any], *, now: int) -> Response:
    """Answer one request to the control plane.

    Args:
        store: The tables.
        event: The event of API Gateway's REST proxy integration.
        now: Wall time, µs.
    """
    return answered(lambda: _answer(Call(store, now, event)))


def _answer(call: Call) -> Response:
    """Check the key, find the route, call it."""
    path, method = str(call.event.get("path") or ""), str(call.event.get("httpMethod") or "").upper()
    parts = tuple(part for part in path.split("/") if part)
    if (parts, method) == (_LOGS, "POST") and path.endswith("/"):
        return respond(_SAME_ELSEWHERE, {}, {"Location": "../logs"})
    found = [(route, ids) for route in ROUTES if (ids := _ids(route, parts)) is not None]
    routes = [(route, ids) for route, ids in found if len(ids) == min(len(ids) for _, ids in found)]  # /policies/preview is no policy
    if parts[:1] == (_KEYED,) and not any(route.open for route, _ in routes):
        authenticate(call.store, call.event.get("headers"), scope="admin", now=call.now)
    if not routes:
        raise NotFound("path: there is no such route")
    for route, ids in routes:
        if route.method == method and route.run:
            reply = route.run(call, **ids)
            return respond(route.status, reply.body, dict(reply.headers), write=exact)
    allow = ", ".join(dict.fromkeys(route.method for route, _ in routes))
    raise MethodNotAllowed(f"method: must be one of {allow}", allow=allow)


def _ids(route: Route, parts: tuple[str, ...]) -> dict[str, str] | None:
    """Match a path with a route: the ids in it, None if it is another path."""
    if len(route.parts) != len(parts):
        return None
    pairs = list(zip(route.parts, parts, strict=True))
    if any(not name.startswith("<") and name != part for name, part in pairs):
        return None
    return {name[1:-1]: part for name, part in pairs if name.startswith("<")}

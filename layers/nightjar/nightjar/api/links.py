"""Links of the OpenAPI document: which routes an answer leads on to, by the ids in it. Made of the table of routes and the models."""

from typing import Any

from nightjar.api.routes import ROUTES, Route

_CREATED = 201


def links(route: Route) -> dict[str, Any]:
    """Return the links of a route's answer of success.

    What was created leads on by every id in its answer; a list by the id of its first row; another answer by an id that the request
    did not have, and to lists only (a test of a destination leads to its deliveries: there is no alert behind it).

    Args:
        route: One of `ROUTES`.

    Example:
        >>> links(create_mute)
        {'delete_mute': {'operationId': 'delete_mute', 'parameters': {'mute_id': '$response.body#/mute_id'}}}
    """
    row = "/0" if route.listed else ""
    found = {}
    for name in _ids(route):
        for target in ROUTES:
            if _asks_for(target, name) and (target.listed or route.listed or route.status == _CREATED):
                operation = operation_id(target)
                found[operation] = {"operationId": operation, "parameters": {name: f"$response.body#{row}/{name}"}}
    return found


def operation_id(route: Route) -> str:
    """Name an operation after its function."""
    return route.run.__name__ if route.run else "send_logs"


def _ids(route: Route) -> list[str]:
    """Return the ids by which an answer leads on."""
    fields = [] if route.answer is None or route.raw else list(route.answer.model_fields)
    named = fields if route.status == _CREATED else fields[:1]
    return [name for name in named if name.endswith("_id") and f"<{name}>" not in route.path]


def _asks_for(route: Route, name: str) -> bool:
    """Tell whether an id is all that a route's path asks for."""
    return [part[1:-1] for part in route.parts if part.startswith("<")] == [name]

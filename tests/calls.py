"""Which function asked AWS for what, over a whole run: held against the roles in template.yaml, both ways."""

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from functions.api import app as api
from functions.evaluator import app as evaluator
from functions.ingest import app as ingest
from functions.notifier import app as notifier
from functions.rollup import app as rollup
from local.permissions import Need, missing, needs
from local.stack import Function
from local.template import load

APPS = {"ApiFunction": api, "EvaluatorFunction": evaluator, "IngestFunction": ingest, "NotifierFunction": notifier, "RollupFunction": rollup}

Used = dict[str, set[Need]]

_used: Used = defaultdict(set)
_running: list[str] = []


def watch() -> None:
    """Note from here on which handler runs. Threads of a handler count as it: tests run one handler at a time."""
    for name, app in APPS.items():
        app.handler = _watched(name, app.handler)


def note(service: str, operation: str, body: bytes) -> None:
    """Note a call, if a handler makes it; what a test does itself is nobody's."""
    if _running:
        _used[_running[-1]] |= needs(service, operation, body)


def used() -> Used:
    """What every function was seen to need."""
    return dict(_used)


def _watched(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def watched(*arguments: Any) -> Any:
        _running.append(name)
        try:
            return handler(*arguments)
        finally:
            _running.pop()

    return watched


def roles() -> dict[str, Function]:
    """The functions of the template."""
    return dict(load(Path(__file__).parent.parent / "template.yaml").functions)


def allowed(function: Function) -> set[Need]:
    """Everything that a role allows."""
    return {(action, resource) for statement in function.statements for action in statement.actions for resource in statement.resources}


def forbidden(found: Used) -> list[str]:
    """What was called although no role allows it."""
    return [f"{name} may not {need}" for name, function in sorted(roles().items()) for need in sorted(missing(function, found.get(name, set())))]


def idle(found: Used) -> list[str]:
    """What a role allows although nothing ever called it."""
    return [f"{name} never {need}" for name, function in sorted(roles().items()) for need in sorted(allowed(function) - found.get(name, set()))]


def merge(found: Used) -> None:
    """Add what the functions of a running system needed."""
    for name, each in found.items():
        _used[name] |= each

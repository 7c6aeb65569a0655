"""What the gateway and the functions answer: the contract's envelope, and 429 where AWS itself has nothing better than a 5xx."""

from collections.abc import Callable
from typing import Any

from scripts.verify.account import Answer, NotShown, Visit, hold

_STOPPED = 60  # s in which a change of a function's settings is there
_BIG, _BIGGER = 5 * 2**20, 11 * 2**20  # more than Lambda takes, with its quoting; more than the gateway takes


def contract(visit: Visit) -> str:
    """Statuses and envelope of what is wrong with a request."""
    big = b'[{"event":"' + b"x" * _BIG + b'"}]'
    cases: tuple[tuple[str, str, dict[str, Any], int, str], ...] = (
        ("GET", "/v1.0/policies", {"key": ""}, 401, "UNAUTHORIZED"),
        ("POST", "/v1.0/logs", {"key": "chp_nobody", "body": []}, 401, "INVALID_TOKEN"),
        ("GET", "/v1.0/nothing-here", {}, 404, "NOT_FOUND"),
        ("GET", "/v1.0/logs", {}, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/v1.0/logs", {"data": big}, 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "/v1.0/logs", {"data": b"[{"}, 400, "BAD_REQUEST"),
    )
    for method, path, given, status, code in cases:
        answer = visit.api(method, path, **given)
        told = (answer.status, _code(answer))
        hold(told[0] == status, f"{method} {path} → {answer.status} {answer.text[:200]}, not {status}")
        hold(told[1] in {code, "INVALID_TOKEN", "UNAUTHORIZED"} if status == 401 else told[1] == code, f"{method} {path} → {told}")  # noqa: PLR2004
    status = visit.api("POST", "/v1.0/logs", data=b" " * _BIGGER).status
    hold(status == 413, f"{_BIGGER >> 20} MB → {status}, not 413")  # noqa: PLR2004
    return f"{len(cases)} faults of a client, each with its status and the contract's body; more than 10 MB is a 413"


def _code(answer: Answer) -> str:
    body = answer.body
    return str(body.get("error", {}).get("code", "")) if isinstance(body, dict) else ""


def busy(answer: Answer) -> str | None:
    """Say what is wrong with a 429 of ours; None if nothing is: the SDKs honour a whole number of at least one second."""
    after = answer.headers.get("Retry-After", "")
    if answer.status != 429:  # noqa: PLR2004
        return f"status {answer.status} {answer.text[:200]}"
    if not (after.isdigit() and int(after) >= 1):
        return f"Retry-After {after!r}"
    return None if _code(answer) == "TOO_MANY_REQUESTS" else f"body {answer.text[:200]}"


def throttled(visit: Visit) -> str:
    """A function that Lambda throttles: its concurrency is taken away for some seconds."""
    return _stopped(visit, "throttled", _without_concurrency)


def crashing(visit: Visit) -> str:
    """A function that cannot start: its handler's name is wrong for some seconds."""
    return _stopped(visit, "crashing", _without_handler)


def _stopped(visit: Visit, how: str, stop: Callable[[Any, str], Callable[[], object]]) -> str:
    if not visit.disturb:
        raise NotShown("it stops two functions for some seconds; give --disturb")
    client = visit.account.client("lambda")
    cases = (("ApiFunction", "GET", "/v1.0/policies?limit=1", None), ("IngestFunction", "POST", "/v1.0/logs", []))
    for function, method, path, body in cases:
        undo = stop(client, visit.account.name(function))
        visit.later(undo)

        def stopped(method: str = method, path: str = path, body: Any = body) -> Answer | None:
            answer = visit.api(method, path, body)
            return None if answer.status == 200 else answer  # noqa: PLR2004

        answer = visit.until(stopped, _STOPPED, f"{function} still answered, though {how},")
        undo()
        problem = busy(answer)
        hold(problem is None, f"{function}, {how}: {problem}")
        visit.until(lambda stopped=stopped: stopped() is None, _STOPPED, f"{function} was put right and did not answer")
    return f"two functions, {how}, are 429 with Retry-After and the contract's body"


def _without_concurrency(client: Any, name: str) -> Callable[[], object]:
    before = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    if before is None:
        return lambda: client.delete_function_concurrency(FunctionName=name)
    return lambda: client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)


def _without_handler(client: Any, name: str) -> Callable[[], object]:
    before = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="nothing.here")

    def undo() -> None:
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        client.update_function_configuration(FunctionName=name, Handler=before)

    return undo

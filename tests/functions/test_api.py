"""The api function's handler, as Lambda calls it."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from functions.api import app
from tests.aws import Cloud
from tests.contract.world import NOBODY, Api, api_on, policy, proxy_event
from tests.streams import store_on
from tests.world import stack

CONTEXT = SimpleNamespace(function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="r")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """A service whose tables answer one call at a time: moto alone undoes what others wrote when it refuses a transaction."""
    store = store_on(Cloud(stack()))
    monkeypatch.setattr(app, "store", lambda: store)
    return api_on(store)


def called(api: Api, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Call the handler with an event that went through JSON."""
    event = json.loads(json.dumps(proxy_event(method, path, None if body is None else json.dumps(body), api.headers)))
    answer = app.handler(event, CONTEXT)
    assert json.loads(json.dumps(answer)) == answer
    return answer["statusCode"], json.loads(answer["body"])


def test_what_is_made_is_found_again(api: Api) -> None:
    status, made = called(api, "POST", "/v1.0/policies", policy())
    assert status == 201
    assert called(api, "GET", "/v1.0/policies") == (200, [made])


@pytest.mark.parametrize("event", [{}, {"path": None, "httpMethod": None}, {"path": "/v1.0/events", "headers": None, "httpMethod": "GET"}])
def test_an_event_that_says_nothing_is_answered_without_a_5xx(api: Api, event: dict[str, Any]) -> None:
    assert app.handler(event, CONTEXT)["statusCode"] in {401, 404}


def test_requests_side_by_side_do_not_see_one_another(api: Api) -> None:
    names = [f"event-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: called(api, "POST", "/v1.0/events", {"event": name}), names))
    assert [(status, body["event"]) for status, body in answers] == [(201, name) for name in names]


def test_editing_twice_at_the_same_time_loses_neither_edit(api: Api) -> None:
    _, made = called(api, "POST", "/v1.0/policies", policy())
    edits: list[dict[str, Any]] = [{"title": "x"}, {"min_count": 7}, {"severity": "error"}, {"delay_seconds": 120}]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda edit: called(api, "PUT", f"/v1.0/policies/{made['policy_id']}", edit)[0], edits))
    assert statuses == [200] * 4
    _, found = called(api, "GET", f"/v1.0/policies/{made['policy_id']}")
    assert {name: found[name] for edit in edits for name in edit} == {name: value for edit in edits for name, value in edit.items()}


def test_an_error_keeps_the_envelope(api: Api) -> None:
    status, body = called(api, "GET", f"/v1.0/policies/{NOBODY}")
    assert (status, body) == (404, {"error": {"code": "NOT_FOUND", "message": "policy_id: there is no such policy"}})

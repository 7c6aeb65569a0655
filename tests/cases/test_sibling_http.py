"""The siblings of the http cases: requests in order and what is answered."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from nightjar.core import ids
from nightjar.core.keys import digest
from nightjar.storage.keys import create_key, revoke_key

from tests.cases.script import SIBLINGS, load_cases, spell_out
from tests.cases.test_http_ingest import holds
from tests.contract.world import NOW, Answer, Api, api_on, simulated, tables

CASES = {name: case for name, case in load_cases(SIBLINGS).items() if case["kind"] == "http"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Json = dict[str, Any]


def those(named: str) -> Any:
    """The cases that have such a thing given."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items() if named in case["given"]])


@pytest.fixture
def api() -> Iterator[Api]:
    with simulated() as db, tables(db) as store:
        yield api_on(store)


def send(api: Api, request: Json, keys: Json) -> Answer:
    """Send one request of a case."""
    (method,) = set(METHODS) & set(request)
    headers = dict(api.headers)
    if "authorization" in request:
        headers.pop("Authorization")
        text = request["authorization"]
        headers |= {} if text is None else {"Authorization": _with(keys, text)}
    headers |= {"Content-Encoding": request["encoding"]} if "encoding" in request else {}
    raw = request.get("raw")
    return api(method, request[method], spelt(request.get("body")), raw=None if raw is None else spell_out(raw), headers=headers)


def _with(keys: Json, text: str) -> str:
    for name, key in keys.items():
        text = text.replace(f"${name}", key)
    return text


def spelt(body: Any) -> Any:
    """A body with each "x * 200" spelt out."""
    if isinstance(body, dict):
        return {name: spelt(value) for name, value in body.items()}
    if isinstance(body, list):
        return [spelt(value) for value in body]
    return spell_out(body) if isinstance(body, str) else body


@those("requests")
def test_each_request_is_answered_as_the_case_says(api: Api, case: Json) -> None:
    keys = {}
    for name, key in case["given"].get("keys", {}).items():
        keys[name], _ = create_key(api.store, scope=key["scope"], agent_prefix=key.get("agent_prefix", ""), now=NOW)
        if key.get("revoked"):
            revoke_key(api.store, digest(keys[name]), now=NOW)
    for request, expected in zip(case["given"]["requests"], case["expect"]["responses"], strict=True):
        answer = send(api, request, keys)
        if "statuses" in expected:
            assert answer.status in expected["statuses"]
        else:
            holds(answer, expected)
    for event, count in case["expect"].get("stored", {}).items():
        assert len(stored(api, event)) == count


def stored(api: Api, event: str, agent: str = "") -> list[Json]:
    """The raw logs of an event."""
    pages = api.store.db.get_paginator("scan").paginate(TableName=api.store.tables.logs, ConsistentRead=True)
    name = ids.event_id(agent, event)
    return [dict(item) for page in pages for item in page["Items"] if item["PK"]["S"].startswith(name) and item["SK"]["S"] != "g"]


@those("logs_of")
def test_each_log_is_taken_or_rejected_by_itself(api: Api, case: Json) -> None:
    """Each value in a log of its own and an event of its own, all in one body."""
    given, expect = case["given"]["logs_of"], case["expect"]
    texts = [f'"{spell_out(raw[1:-1])}"' if " * " in raw else raw for raw in given["raw"]]
    base = "" if given["field"] == "value" else '"value": 1, '
    answer = api(
        "POST", "/v1.0/logs", raw="[" + ", ".join(f'{{{base}"event": "e{place}", "{given["field"]}": {text}}}' for place, text in enumerate(texts)) + "]"
    )
    assert answer.status == 200
    rejected = {entry["index"]: entry["message"] for entry in answer.body["rejected"]}
    assert all(expect["message_contains"] in message for message in rejected.values())
    taken = {raw: place for place, raw in enumerate(given["raw"]) if place not in rejected}
    if "accepted_values" in expect:
        found = {raw: Decimal(log["v"]["S"]) for raw, place in taken.items() for log in stored(api, f"e{place}")}
        assert found == {raw: Decimal(value) for raw, value in expect["accepted_values"].items()}
    else:
        assert list(taken) == given["raw"][: expect["accepted"]]


@those("bad")
def test_what_a_policy_may_be_and_may_not_be(api: Api, case: Json) -> None:
    given, expect = case["given"], case["expect"]
    for change in given["bad"]:
        answer = api.post("/v1.0/policies", {**given["base"], **spelt(change)})
        assert answer.status == expect["bad"], change
        assert any(field in json.dumps(answer.body) for field in [*change, "datapoints_to_alarm", "event_id"]), answer.body
    for change in given["good"]:
        answer = api.post("/v1.0/policies", {**given["base"], **spelt(change)})
        assert answer.status == expect["good"], (change, answer.body)

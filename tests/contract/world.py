"""The service on moto: its tables, a clock that stands still, and requests as API Gateway's REST proxy sends them to its functions."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import boto3
import simplejson
from moto import mock_aws
from nightjar.core.instants import HOUR, MINUTE, floor, iso, parse_instant
from nightjar.pipeline.judge import judge_changed
from nightjar.settings import Tables
from nightjar.storage import policies, rollups
from nightjar.storage.client import Store
from nightjar.storage.clock import begin_tick, read_clock
from nightjar.storage.keys import create_key

from functions.api import app as control_plane
from functions.ingest import app as ingest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = parse_instant("2026-03-03T14:30:00Z")
KEY = "chp_contract_tests_0123456789abcdef"
NOBODY = "0195f2a0-7c1e-7abc-8def-0123456789ab"
CONTEXT = SimpleNamespace(function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="r")

_numbers = count()


@contextmanager
def simulated() -> "Iterator[DynamoDBClient]":
    """Start moto, with one client: making one takes longer than most tests."""
    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@contextmanager
def tables(db: "DynamoDBClient") -> Iterator[Store]:
    """Make empty tables with names of their own; they go with the simulation."""
    number = next(_numbers)
    names = {name: f"{name}{number}" for name in Tables.__slots__}
    for name in names.values():
        db.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("PK", "SK")],
            BillingMode="PAY_PER_REQUEST",
        )
    yield Store(db, Tables(**names))


@dataclass(frozen=True)
class Answer:
    """What a client sees."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """The words of a refusal."""
        return str(self.body["error"]["message"])

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.body["error"]["code"])


@dataclass
class Api:
    """Sends requests to the handlers of the functions."""

    store: Store
    now: int = NOW
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}", "Host": "api.example", "X-Forwarded-Proto": "https"})

    def __call__(self, method: str, path: str, body: Any = None, *, raw: str | bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send one request; `raw` is a body that is not made from JSON."""
        text = raw if raw is not None else None if body is None else simplejson.dumps(body, use_decimal=True, allow_nan=True)
        event = proxy_event(method, path, text if isinstance(text, str) else None, self.headers if headers is None else headers)
        if isinstance(text, bytes):
            event |= {"body": b64encode(text).decode(), "isBase64Encoded": True}
        with self._deployed(method, event["path"]) as handler:
            found = handler(event, CONTEXT)
        parsed = json.loads(found["body"], parse_float=Decimal) if found["headers"]["Content-Type"] == "application/json" else found["body"]
        return Answer(found["statusCode"], parsed, found["headers"])

    @contextmanager
    def _deployed(self, method: str, path: str) -> Iterator[Callable[..., dict[str, Any]]]:
        """The function that the template routes a request to, on these tables and this clock."""
        app = ingest if (method, path) == ("POST", "/v1.0/logs") else control_plane
        clock = SimpleNamespace(time_ns=lambda: self.now * 1_000, monotonic=time.monotonic)
        with ExitStack() as patches:
            patches.enter_context(mock.patch.object(app, "time", clock))
            patches.enter_context(mock.patch.object(app, "store", return_value=self.store))
            yield app.handler

    def get(self, path: str) -> Answer:
        """GET."""
        return self("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        """POST."""
        return self("POST", path, body)

    def put(self, path: str, body: Any) -> Answer:
        """PUT."""
        return self("PUT", path, body)

    def delete(self, path: str) -> Answer:
        """DELETE."""
        return self("DELETE", path)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """POST what must succeed."""
        answer = self.post(path, body)
        assert answer.status == 201, answer.body
        return cast("dict[str, Any]", answer.body)


def api_on(store: Store) -> Api:
    """Make a client with an admin key."""
    create_key(store, scope="admin", now=NOW, text=KEY)
    return Api(store)


def proxy_event(method: str, path: str, body: str | None, headers: dict[str, str]) -> dict[str, Any]:
    """Make the event of a REST API's proxy integration."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) or None
    return {
        "resource": "/{proxy+}",
        "path": parts.path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": {"proxy": parts.path.strip("/")},
        "stageVariables": None,
        "requestContext": {"path": f"/prod{parts.path}", "stage": "prod", "httpMethod": method, "protocol": "HTTP/1.1", "requestId": "r"},
        "body": body,
        "isBase64Encoded": False,
    }


def policy(**given: Any) -> dict[str, Any]:
    """The body of a policy: worker.billing's job.run, hour count gt 20, unless said otherwise; None leaves a field out."""
    fields = {"agent": "worker.billing", "event": "job.run", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 20, **given}
    return {name: value for name, value in fields.items() if value is not None}


def slack(**given: Any) -> dict[str, Any]:
    """The body of a Slack destination."""
    return {"channel": "slack", "url": "https://hooks.slack.com/services/T000/B000/secret", **given}


def logged(api: Api, event_id: str, at: str, *values: object) -> None:
    """Put logs into the minute and the hour of an instant, as rollup does."""
    instant = parse_instant(at)
    clock = read_clock(api.store)
    for letter, unit in (("m", MINUTE), ("h", HOUR)):
        bin: Any = (letter, floor(instant, unit))
        row = rollups.read_row(api.store, event_id, bin, now=api.now)
        for value in values:
            row.bucket.add(Decimal(str(value)), instant)
        row.bucket.clock = clock.tick if clock else None
        assert rollups.write_row(api.store, event_id, bin, row)


def alarmed(api: Api, **given: Any) -> dict[str, Any]:
    """Make a policy and have it open an alert by data: 21 logs this hour, more than 20."""
    begin_tick(api.store, api.now)
    made = api.made("/v1.0/policies", policy(**given))
    logged(api, made["event_id"], iso(api.now), *[2] * 21)
    found = policies.get(api.store, made["policy_id"])
    assert found
    judge_changed(api.store, [found], [("h", floor(api.now, HOUR)), ("m", floor(api.now, MINUTE))], now=api.now)
    return made

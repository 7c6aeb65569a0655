"""The ingest function over moto, with a clock that tests turn and faults that they inject."""

import gzip
import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from threading import Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from nightjar.core.instants import SECOND, parse_instant
from nightjar.http import auth
from nightjar.pipeline import known
from nightjar.settings import settings
from nightjar.storage import batches, client
from nightjar.storage.client import Store
from nightjar.storage.keys import create_key
from nightjar.storage.patience import WORKERS, Patience

from functions.ingest import app

NOW = parse_instant("2026-03-03T14:00:00Z")
KEY = "chp_local"
CONTEXT = SimpleNamespace(function_name="ingest", memory_limit_in_mb=1024, invoked_function_arn="arn:aws:lambda:::ingest", aws_request_id="r1")
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    "TABLE_LOGS": "logs", "TABLE_CONFIG": "config",
}  # fmt: skip


@dataclass
class Clock:
    """Wall time in µs and a monotonic time in seconds, that pass only when somebody sleeps or a test says so."""

    now: int = NOW
    seconds: float = 100.0
    lock: Lock = field(default_factory=Lock)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self.lock:
            self.now += int(seconds * SECOND)
            self.seconds += seconds

    def nap(self, seconds: float) -> None:
        """Let time pass as it does when all workers sleep at once."""
        self.sleep(seconds / WORKERS)

    def time_ns(self) -> int:
        """Wall time as `time` gives it."""
        return self.now * 1_000

    def monotonic(self) -> float:
        """Monotonic time as `time` gives it."""
        return self.seconds

    def patience(self, seconds: float) -> Patience:
        """A deadline from now on."""
        return Patience(self.seconds + seconds, self.monotonic, self.sleep)


class FaultyClient:
    """A client of which some methods are replaced; each replacement gets the real method and the call's arguments.

    moto never leaves an item unprocessed, never throttles and never times out.
    """

    def __init__(self, real: Any, **faults: Callable[..., Any]) -> None:
        self._real = real
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        """Return a method of the real client, or what stands in for it."""
        real = getattr(self._real, name)
        return partial(self._faults[name], real) if name in self._faults else real


@dataclass
class Answer:
    """An answer of the function."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def codes(self) -> dict[int, str]:
        """The rejected indexes and their codes."""
        found = self.body.get("rejected", self.body.get("error", {}).get("rejected", []))
        return {entry["index"]: entry["code"] for entry in found}


@dataclass
class Ingest:
    """A running ingest function and its tables."""

    store: Store
    clock: Clock

    def post(self, body: Any = None, *, raw: bytes | None = None, key: str | None = KEY, **headers: str) -> Answer:
        """POST /v1.0/logs: a body as JSON, or raw bytes; headers by name (`content_encoding="gzip"`)."""
        sent = json.dumps(body).encode() if raw is None else raw
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        if key is not None:
            named["Authorization"] = f"Bearer {key}"
        answer = app.handler(proxy_event(sent, named), CONTEXT)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def items(self) -> list[dict[str, Any]]:
        """All items of the logs table."""
        pages = self.store.db.get_paginator("scan").paginate(TableName=self.store.tables.logs, ConsistentRead=True)
        return [dict(item) for page in pages for item in page["Items"]]

    def logs(self) -> list[dict[str, Any]]:
        """The raw logs, without guards, in order of their keys."""
        return sorted((item for item in self.items() if item["SK"]["S"] != "g"), key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    def values(self) -> list[Decimal]:
        """The values of all raw logs."""
        return [Decimal(item["v"]["S"]) for item in self.logs()]

    @contextmanager
    def faults(self, **faults: Callable[..., Any]) -> Iterator[None]:
        """Replace methods of the client for a while."""
        broken = Store(FaultyClient(self.store.db, **faults), self.store.tables)  # type: ignore[arg-type]
        with patch.object(app, "store", lambda: broken):
            yield


def proxy_event(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """What API Gateway's REST proxy integration hands over, with every body in base64 (BinaryMediaTypes */*)."""
    return {
        "resource": "/v1.0/logs",
        "path": "/v1.0/logs",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json", "Host": "x.execute-api.us-east-1.amazonaws.com", **headers},
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": "/v1.0/logs", "httpMethod": "POST", "stage": "v1", "requestId": "r1", "identity": {"sourceIp": "192.0.2.1"}},
        "body": b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def packed(body: Any) -> bytes:
    """JSON, gzipped."""
    return gzip.compress(json.dumps(body).encode())


def make_tables(store: Store) -> None:
    """Make the logs and config tables as the template has them."""
    for table in (store.tables.logs, store.tables.config):
        store.db.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@cache
def _store() -> Store:
    """Make the store once: a client costs more than most tests, and moto's tables are new in each of its contexts."""
    return client.store()


@contextmanager
def ingesting() -> Iterator[Ingest]:
    """Run ingest over fresh tables with an ingest key, `chp_local`."""
    clock = Clock()
    with patch.dict(os.environ, ENVIRONMENT), mock_aws():
        settings.cache_clear()
        client.store.cache_clear()
        auth.cache_of.cache_clear()
        known.known_in.cache_clear()
        batches.seen_in.cache_clear()
        store = _store()
        make_tables(store)
        create_key(store, scope="ingest", now=NOW, text=KEY)
        with (
            patch.object(app, "time", clock),
            patch.object(app, "Patience", lambda until: Patience(until, clock.monotonic, clock.nap)),
            patch.object(app, "store", lambda: store),
            patch.object(app, "DECIDE_SECONDS", 60),  # real seconds; the machine that runs the tests may be slow
        ):
            yield Ingest(store, clock)
        settings.cache_clear()
        client.store.cache_clear()

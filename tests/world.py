"""The whole product in one process, on moto, with a clock that a test moves: real handlers, real events, nothing runs by itself.

A log goes into the table when it is sent; rollup, ticks, routing and delivery happen when the test says so, in its order.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from nightjar import queues, settings
from nightjar.core.alerts import Alert, Transition
from nightjar.core.instants import iso, parse_instant
from nightjar.pipeline.deliver import Courier
from nightjar.settings import Tables
from nightjar.storage import alerts, client, outbox
from nightjar.storage.client import Store
from nightjar.storage.keys import create_key

from functions.api import app as api
from functions.evaluator import app as evaluator
from functions.ingest import app as ingest
from functions.notifier import app as notifier
from functions.rollup import app as rollup
from local.stack import Stack
from local.template import load
from tests.aws import Cloud
from tests.contract.world import Answer, proxy_event
from tests.desk import Receivers, sqs_record

KEY = "chp_world_0123456789abcdef0123456789"
START = parse_instant("2026-03-03T14:00:00Z")
CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:x",
    aws_request_id="r",
    get_remaining_time_in_millis=lambda: 60_000,
)

Record = dict[str, Any]


@cache
def stack() -> Stack:
    """The template, read once for all tests."""
    return load(Path(__file__).parent.parent / "template.yaml")


@dataclass
class World:
    """One account with the product deployed, at an instant that only the test moves.

    Attributes:
        now: Wall time, µs.
        logs: Records of new logs that rollup has not been given yet, in the stream's order.
        outbox: Records of transitions that the notifier has not been given yet.
        receivers: Who is posted to, and what was posted.
        counted: The judge's metrics.
    """

    cloud: Cloud
    now: int = START
    logs: list[Record] = field(default_factory=list)
    outbox: list[Record] = field(default_factory=list)
    read_upto: dict[str, str] = field(default_factory=dict)
    receivers: Receivers = field(default_factory=Receivers)
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def store(self) -> Store:
        """The tables, as the handlers see them."""
        return client.store()

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request through the function that the template routes it to."""
        text = None if body is None else json.dumps(body, default=_number)
        headers = {"Authorization": f"Bearer {KEY}", "Host": "api.example", "X-Forwarded-Proto": "https"}
        handler = ingest.handler if (method, path) == ("POST", "/v1.0/logs") else api.handler
        found = handler(proxy_event(method, path, text, headers), CONTEXT)
        return Answer(found["statusCode"], json.loads(found["body"], parse_float=Decimal), found["headers"])

    def made(self, method: str, path: str, body: Any) -> Any:
        """Send a request that must succeed."""
        answer = self(method, path, body)
        assert answer.status in {200, 201}, answer.body
        return answer.body

    def send(self, logs: Iterable[Mapping[str, Any]]) -> Answer:
        """POST logs, and note the stream's new records."""
        answer = self("POST", "/v1.0/logs", list(logs))
        self.read_streams()
        return answer

    def read_streams(self) -> None:
        """Note what the tables' streams hold since the last time."""
        for name, found in (("LogsTable", self.logs), ("AlertsTable", self.outbox)):
            table = self.cloud.stack.tables[name]
            while records := self.cloud.dynamodb.records(table, self.read_upto.get(name, ""), 1_000):
                arn = self.cloud.dynamodb.stream_arn(table)
                self.read_upto[name] = records[-1]["dynamodb"]["SequenceNumber"]
                new = (record for record in records if record["eventName"] == "INSERT" and _wanted(record))
                found += [{**record, "eventSourceARN": arn, "eventSource": "aws:dynamodb"} for record in new]

    def roll_up(self, records: Iterable[Record] | None = None) -> Any:
        """Give rollup some records (all that wait, if not said), as one batch; it answers which must come again."""
        batch = list(self.logs if records is None else records)
        self.logs = [record for record in self.logs if record not in batch]
        answer = rollup.handler(_through_json({"Records": batch}), CONTEXT)
        self.read_streams()
        return answer

    def tick(self, scheduled: int) -> Any:
        """Give the evaluator a tick of the schedule (µs)."""
        answer = evaluator.handler({"time": iso(scheduled)}, CONTEXT)
        self.read_streams()
        return answer

    def notify(self) -> None:
        """Give the notifier the transitions that wait, as one batch, then every bell until no tray holds anything."""
        batch, self.outbox = self.outbox, []
        if batch:
            notifier.handler(_through_json({"Records": batch}), CONTEXT)
        while records := self._bells():
            for record in records:
                answer = notifier.handler({"Records": [record]}, CONTEXT)
                if not answer["batchItemFailures"]:
                    queues.bells().sqs.delete_message(QueueUrl=queues.bells().url, ReceiptHandle=record["receiptHandle"])

    def _bells(self) -> list[Record]:
        found = queues.bells().sqs.receive_message(QueueUrl=queues.bells().url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
        return [sqs_record(dict(message)) for message in found]

    def count(self, name: str, value: float = 1) -> None:
        """Take a metric of the judge."""
        self.counted[name] += int(value)

    def held_back(self) -> int:
        """How often a silent alert was held back because rollup was behind."""
        return self.counted["SilentAlertsHeldBack"]

    def alerts(self) -> list[Alert]:
        """All alerts, in the order of their opening."""
        found, _ = alerts.list_alerts(self.store, limit=10_000, now=self.now)
        return sorted(found, key=lambda alert: (alert.triggered_at, alert.policy_id, alert.period_start))

    def transitions(self) -> list[Transition]:
        """All transitions that the stream has shown and the notifier not taken yet, in its order."""
        return [outbox.from_stream(record) for record in self.outbox]


@contextmanager
def world(now: int = START, *, fakes: Mapping[str, Any] | None = None) -> Iterator[World]:
    """Deploy the product into an empty account."""
    cloud = Cloud(stack())
    made = World(cloud, now)
    clock = SimpleNamespace(time_ns=lambda: made.now * 1_000, monotonic=lambda: made.now / 1e6, time=lambda: made.now / 1e6, sleep=lambda _: None)
    clients: dict[str, Callable[[], Any]] = {"dynamodb": cache(lambda: cloud.client("dynamodb")), "sqs": cache(lambda: cloud.client("sqs"))}
    names = Tables(**{each: cloud.stack.tables[f"{each.capitalize()}Table"].name for each in Tables.__slots__})
    environment = {f"TABLE_{each.upper()}": getattr(names, each) for each in Tables.__slots__}
    environment |= {"QUEUE_BELLS": cloud.stack.queues["BellsQueue"].url, "TICK_LEAD_MINUTES": ""}
    environment |= {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    mended = (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(client, "make_client", clients["dynamodb"]),
        mock.patch.object(queues, "make_client", clients["sqs"]),
    )
    fakes = {
        "functions.notifier.app.Courier": partial(Courier, post=made.receivers),
        "nightjar.pipeline.judge.count": made.count,
        **(fakes or {}),
    }
    with mended[0], mended[1], mended[2]:
        _forget()
        with _patched(clock, fakes):
            create_key(client.store(), scope="admin", now=now, text=KEY)
            yield made
        _forget()


@contextmanager
def _patched(clock: SimpleNamespace, fakes: Mapping[str, Any]) -> Iterator[None]:
    """Put the test's clock in the place of each handler's, and other fakes where they are named."""
    from contextlib import ExitStack

    with ExitStack() as patches:
        for app in (api, evaluator, ingest, notifier, rollup):
            patches.enter_context(mock.patch.object(app, "time", clock))
        for name, fake in fakes.items():
            patches.enter_context(mock.patch(name, fake))
        yield


def _forget() -> None:
    """Start every handler cold."""
    settings.settings.cache_clear()
    client.store.cache_clear()
    queues.bells.cache_clear()
    rollup._policies.cache_clear()


def _wanted(record: Record) -> bool:
    """Keep what the template's filters let through: transitions of the alerts table, and raw logs (no guards) of the logs table."""
    keys = record["dynamodb"]["Keys"]
    return bool(keys["SK"]["S"].startswith("t#") or (keys["SK"]["S"][0].isdigit() and keys["PK"]["S"].count("#") == 2))


def _through_json(event: Any) -> Any:
    return json.loads(json.dumps(event, default=lambda moment: moment.timestamp()))


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)

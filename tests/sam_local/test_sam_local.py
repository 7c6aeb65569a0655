"""Each function with its file of events/ by `sam local invoke`, and the official SDK against `sam local start-api`: `make test-sam-local`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import chirpier
import pytest
import requests
from nightjar.core.delivery import Row, tray_of
from nightjar.core.ids import event_id
from nightjar.core.instants import HOUR, floor, parse_instant
from nightjar.storage import deliveries, destinations, events, policies, rollups, trays
from nightjar.storage.client import Store
from nightjar.storage.clock import read_clock
from nightjar.storage.logs import list_raw

from local.aws import Endpoint
from local.board import Board
from local.runner import now
from local.store import ensure_key, open_store
from local.wire import Server
from tests.aws import Cloud
from tests.builders import policy
from tests.desk import STACK, slack
from tests.payloads import logs_of, payload, posted_at
from tests.sam_local.sam import MOST_SECONDS, Sam

IMAGE, AWS = os.environ.get("NIGHTJAR_IMAGE"), os.environ.get("NIGHTJAR_AWS", "")

pytestmark = [pytest.mark.skipif(IMAGE is None, reason="no Docker engine of one's own: make test-sam-local"), pytest.mark.timeout(300)]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """Empty tables and a queue, where the containers look for AWS."""
    made, where = Cloud(STACK), urlsplit(AWS)
    endpoint = Endpoint({"dynamodb": made.dynamodb, "sqs": made.moto}, {}, Board())
    server = Server(endpoint.respond, where.port or 0, where.hostname or "")
    server.start()
    yield made
    server.close()


@pytest.fixture
def store(cloud: Cloud) -> Store:
    """The same tables, and a key that they know: the one in events/."""
    made = open_store(cloud.stack, AWS)
    ensure_key(made, now())
    return made


@pytest.fixture
def sam(tmp_path: Path) -> Sam:
    assert IMAGE
    return Sam(STACK, IMAGE, tmp_path)


def raw(store: Store, agent: str, event: str) -> list[str]:
    """The values of an event's raw logs of this hour and the one before."""
    of = event_id(agent, event)
    found = events.get(store, of)
    assert found is not None
    hour = floor(now(), HOUR)
    logs, _ = list_raw(store, of, found.shards, [hour, hour - HOUR], now=now(), limit=10)
    return [str(log.value) for log in logs]


def test_ingest_stores_what_was_posted(sam: Sam, store: Store) -> None:
    posted = posted_at(now())
    answer = sam.invoke("IngestFunction", posted)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"accepted": 2, "rejected": []})
    for log in logs_of(posted):
        assert raw(store, log["agent"], log["event"]) == [str(log["value"])]


def test_rollup_counts_a_log_into_its_minute_and_its_hour(sam: Sam, store: Store) -> None:
    assert sam.invoke("RollupFunction", payload("stream-logs")) == {"batchItemFailures": []}
    at = parse_instant("2026-11-25T14:03:04Z")
    bins = [("m", at - at % 60_000_000), ("h", floor(at, HOUR))]
    found = rollups.read(store, event_id("worker.billing", "worker.billing.failed"), bins, now=at)
    assert [(bin, found[bin].count, found[bin].total) for bin in bins] == [(bin, 1, 1) for bin in bins]


def test_the_evaluator_moves_the_clock(sam: Sam, store: Store) -> None:
    tick = payload("schedule")
    assert sam.invoke("EvaluatorFunction", tick) == {"outcome": "done"}
    clock = read_clock(store)
    assert clock is not None
    assert clock.tick == clock.reach == parse_instant(tick["time"])


def test_the_notifier_puts_a_transition_into_a_tray_and_rings(sam: Sam, store: Store, cloud: Cloud) -> None:
    destinations.put_new(store, slack())
    assert sam.invoke("NotifierFunction", payload("stream-transitions")) == {"batchItemFailures": []}
    (row,) = trays.read_tray(store, tray_of(slack()), 10)
    assert (row.number, row.type) == (1, "opened")
    assert [record.status for record in deliveries.history(store, row.alert_id)[0]] == ["pending"]
    assert cloud.moto.has_visible(STACK.queues["BellsQueue"].name)


def test_the_notifier_answers_a_bell_and_forgets_a_tray_that_is_empty(sam: Sam, store: Store) -> None:
    bell = payload("sqs-bell")
    tray = json.loads(bell["Records"][0]["body"])["tray"]
    row = Row(tray=tray, key="k", policy_id="p", number=1, alert_id="a", destination_id="d", type="opened", put_at=now())
    store.db.transact_write_items(TransactItems=trays.put_writes(store, row))
    store.db.transact_write_items(TransactItems=[trays.take_write(store, row)])
    assert sam.invoke("NotifierFunction", bell) == {"batchItemFailures": []}
    assert trays.puts(store, tray) is None


def test_the_api_lists_policies(sam: Sam, store: Store) -> None:
    policies.put_new(store, policy())
    answer = sam.invoke("ApiFunction", payload("api-get-policies"))
    assert answer["statusCode"] == 200
    assert [each["policy_id"] for each in json.loads(answer["body"])] == ["p1"]


def test_the_sdk_speaks_to_start_api(sam: Sam, store: Store) -> None:
    with sam.start_api() as system:
        # First what may take its time: containers start with these two, and the SDK waits for ten seconds.
        unknown = requests.get(f"{system.url}/nope", timeout=MOST_SECONDS)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert requests.post(f"{system.url}/v1.0/logs", json=[], timeout=MOST_SECONDS).status_code == 401
        system.log([chirpier.Log("job.completed.count", 3, agent="worker.mail", meta={"queue": "mail ✉"})])
        (event,) = system.client.list_events()
        assert (event["agent"], event["event"]) == ("worker.mail", "job.completed.count")
        assert raw(store, "worker.mail", "job.completed.count") == ["3"]
        made = system.client.create_policy({"event_id": event["event_id"], "period": "hour", "aggregate": "sum", "condition": "lt", "threshold": 10})
        assert [each["policy_id"] for each in system.client.list_policies()] == [made["policy_id"]]

"""`nightjar dev` killed with -9 on DynamoDB Local, amid logs and alerts, and started again: nothing is lost and nothing counted twice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from nightjar.core.logs import new_log_id

from local.wire import Request, Response, Server
from tests.local.test_dev import HEADERS, Dev, policy, start, this_minute
from tests.local.test_dynamodb_local import endpoint, pytestmark

__all__ = ["endpoint", "pytestmark"]

EVENTS = ("a", "b", "c", "d")
LOGS, BATCH = 960, 40


@dataclass
class Receiver:
    """A webhook that outlives the system; it notes what was posted."""

    posts: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.posts.append(json.loads(request.body))
        return Response(200, {}, b"ok")


@contextmanager
def killed(log: Path, *options: str) -> Iterator[Dev]:
    """A system that ends by SIGKILL, in the middle of whatever it does."""
    with start(log, *options) as dev:
        try:
            yield dev
        finally:
            dev.process.kill()
            dev.process.wait()


def batches() -> list[list[dict[str, Any]]]:
    """Logs with ids of their own, as an SDK makes them: sent again, they are the same logs."""
    now = time.time_ns() // 1_000
    logs = [{"agent": "worker", "event": EVENTS[number % 4], "value": 1, "log_id": new_log_id(now, number)} for number in range(LOGS)]
    return [logs[at : at + BATCH] for at in range(0, LOGS, BATCH)]


def send(url: str, waiting: list[list[dict[str, Any]]]) -> None:
    """Send batches until the server is gone; what it has not answered for stays."""
    with suppress(requests.RequestException):
        while waiting:
            answer = requests.post(f"{url}/v1.0/logs", json=waiting[0], headers=HEADERS, timeout=10)
            if answer.status_code == 200:
                waiting.pop(0)


def test_a_system_killed_in_the_middle_goes_on_with_nothing_lost_or_counted_twice(endpoint: str, tmp_path: Path) -> None:
    options = ("--no-clock", "--dynamodb-endpoint", endpoint)
    waiting, receiver = batches(), Receiver()
    hook = Server(receiver)
    hook.start()
    with killed(tmp_path / "log", *options) as dev:
        dev("POST", "/v1.0/destinations", {"channel": "webhook", "url": f"{hook.url}/hook", "scope": "all"})
        dev.tick(this_minute())
        for event in EVENTS:
            dev("POST", "/v1.0/policies", policy(event=event, title=event))
    for number in range(3):
        with killed(tmp_path / "log", *options) as dev:
            sending = threading.Thread(target=send, args=(dev.url, waiting))
            sending.start()
            time.sleep(0.25 + 0.35 * number)
        sending.join()
    with killed(tmp_path / "log", *options) as dev:
        send(dev.url, waiting)
        assert dev.drain() == 0
        counted = {each["event"]: total(dev, each["event_id"]) for each in dev("GET", "/v1.0/events")}
        alerts = dev("GET", "/v1.0/alerts")
        attempts = [each["status"] for alert in alerts for each in dev("GET", f"/v1.0/alerts/{alert['alert_id']}/deliveries")]
    hook.close()
    assert waiting == []
    assert counted == dict.fromkeys(EVENTS, LOGS // len(EVENTS))
    assert sorted(alert["event"] for alert in alerts) == list(EVENTS)
    told = Counter(each["alert"]["alert_id"] for post in receiver.posts for each in post["transitions"] if each["type"] == "opened")
    assert set(told) == {alert["alert_id"] for alert in alerts}
    assert told.total() <= len(EVENTS) + 3, "only the post in flight when it was killed may come again"
    assert set(attempts) == {"sent"}


def total(dev: Dev, event_id: str) -> int:
    return sum(point["count"] for point in dev("GET", f"/v1.0/events/{event_id}/logs?period=hour"))

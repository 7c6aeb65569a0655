"""A thousand alerts at once to one Slack webhook that takes one message a second and answers 429 to the rest, where others post as well.

All are named in its channel exactly once within five minutes, each with a delivery record, and no other webhook waits for it: as it
is, and (`make storm`) with `nightjar dev` killed by SIGKILL three times on the way.
"""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from nightjar.storage import deliveries

from local.slack import Post, Slack
from local.store import open_store
from local.wire import Server
from tests.aws import emptied
from tests.local.test_dev import HEADERS, Dev, policy, run, this_minute
from tests.local.test_dynamodb_local import endpoint
from tests.local.test_dynamodb_local import pytestmark as needs_java
from tests.local.test_killed import killed
from tests.world import stack

__all__ = ["endpoint"]

pytestmark = needs_java

MANY, OTHERS, KILLS = 1_000, 3, 3
WITHIN = 300  # seconds
_TITLE = re.compile(r"storm-\d{4}")


@pytest.fixture
def address(endpoint: str) -> str:
    """A DynamoDB without the destinations and alerts of another storm."""
    emptied(endpoint)
    return endpoint


@dataclass
class Channel:
    """A Slack that outlives the system, with the storm's channel and another one."""

    slack: Slack = field(default_factory=Slack)

    @property
    def posts(self) -> list[Post]:
        """What Nightjar posted to the storm's webhook."""
        return [post for post in self.slack.posts("ops") if post.payload.get("text") != "from somebody else"]

    def named(self, channel: str = "ops") -> Counter[str]:
        """The alerts that messages which were taken name, and how many messages name each."""
        taken = (post for post in self.slack.posts(channel) if post.status == 200)
        return Counter(title for post in taken for title in set(_TITLE.findall(json.dumps(post.payload.get("blocks", [])))))


@contextmanager
def channel() -> Iterator[tuple[Channel, str]]:
    """Serve it; with its address."""
    made = Channel()
    server = Server(made.slack.respond)
    server.start()
    try:
        yield made, f"{server.url}/_slack"
    finally:
        server.close()


def created(dev: Dev, path: str, body: Any) -> Any:
    """Create something, as often as it takes: the API may be busy."""
    while (answer := requests.post(f"{dev.url}/v1.0/{path}", json=body, headers=HEADERS, timeout=30)).status_code == 429:
        time.sleep(float(answer.headers["Retry-After"]))
    assert answer.status_code < 300, answer.text
    return answer.json()


def prepare(dev: Dev, event: str, url: str) -> None:
    """A thousand policies on one event, all told to one webhook, and three of them to another one too."""
    dev.tick(this_minute())
    bodies = [policy(event=event, title=f"storm-{number:04d}", threshold=0) for number in range(MANY)]
    with ThreadPoolExecutor(4) as clients:
        made = list(clients.map(lambda body: created(dev, "policies", body), bodies))
    few = [each["policy_id"] for each in made if each["title"] < f"storm-{OTHERS:04d}"]
    created(dev, "destinations", {"channel": "slack", "url": f"{url}/ops?rate=1", "scope": "all"})
    created(dev, "destinations", {"channel": "slack", "url": f"{url}/other", "scope": "policies", "policy_ids": few})


def wait(there: Channel, url: str, until: Callable[[], bool], deadline: float) -> None:
    """Wait for something, while somebody else posts to the storm's webhook every other second."""
    turn = 0
    while not until():
        assert time.monotonic() < deadline, f"{len(there.named())} named when five minutes were over"
        turn += 1
        if turn % 8 == 0:
            requests.post(f"{url}/ops?rate=1", json={"text": "from somebody else"}, timeout=10)
        time.sleep(0.25)


def drained(dev: Dev, deadline: float) -> None:
    """Wait until nothing is left to do."""
    while (answer := requests.post(f"{dev.url}/_local/drain?timeout=25", headers=HEADERS, timeout=30)).status_code == 408:
        assert time.monotonic() < deadline, answer.text
    assert answer.json()["waiting"] == 0


def unrecorded(address: str, dev: Dev, event: str) -> list[str]:
    """The alerts of an event of which not every delivery is recorded as sent; there must be a thousand in all."""
    store = open_store(stack(), address)
    found = [alert for alert in dev("GET", "/v1.0/alerts?limit=1000&status=triggered") if alert["event"] == event]
    assert len(found) == MANY
    with ThreadPoolExecutor(8) as readers:
        records = list(readers.map(lambda alert: deliveries.history(store, alert["alert_id"])[0], found))
    wanted = [1 + (alert["title"] < f"storm-{OTHERS:04d}") for alert in found]
    return [alert["alert_id"] for alert, each, many in zip(found, records, wanted, strict=True) if [one.status for one in each] != ["sent"] * many]


def told(name: str, there: Channel, seconds: float) -> None:
    """Say how it went."""
    found = Counter(post.status for post in there.posts)
    print(f"{name}: {MANY} alerts named after {seconds:.0f} s in {found[200]} messages; {found.total()} posts, {found[429]} of them answered with 429")


@pytest.mark.timeout(900)
def test_a_thousand_alerts_are_each_named_once_by_a_webhook_of_one_message_a_second(address: str, tmp_path: Path) -> None:
    with channel() as (there, url), run(tmp_path / "log", "--dynamodb-endpoint", address) as dev:
        prepare(dev, "plain", url)
        began = time.monotonic()
        dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "plain", "value": 1}])
        wait(there, url, lambda: len(there.named()) == MANY, began + WITHIN)
        told("storm", there, time.monotonic() - began)
        drained(dev, began + WITHIN)
        assert set(there.named().values()) == {1}
        assert there.named("other") == Counter(f"storm-{number:04d}" for number in range(OTHERS))
        assert max(post.at for post in there.slack.posts("other")) < max(post.at for post in there.posts), "the other webhook waited for this one"
        assert unrecorded(address, dev, "plain") == []
        assert {post.status for post in there.posts} == {200, 429}


@pytest.mark.skipif(not os.environ.get("NIGHTJAR_STORM"), reason="make storm")
@pytest.mark.timeout(900)
def test_a_thousand_alerts_are_named_though_the_process_is_killed_three_times(address: str, tmp_path: Path) -> None:
    options = ("--dynamodb-endpoint", address)
    with channel() as (there, url):
        with killed(tmp_path / "log", *options) as dev:
            prepare(dev, "killed", url)
            began = time.monotonic()
            dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "killed", "value": 1}])
            wait(there, url, lambda: len(there.named()) > 0, began + WITHIN)
        for number in range(1, KILLS):
            with killed(tmp_path / "log", *options) as dev:
                wait(there, url, lambda number=number: len(there.named()) >= number * MANY // KILLS, began + WITHIN)  # type: ignore[misc]
        with run(tmp_path / "log", *options) as dev:
            wait(there, url, lambda: len(there.named()) == MANY, began + WITHIN)
            told(f"storm with {KILLS} kills", there, time.monotonic() - began)
            drained(dev, began + WITHIN)
            repeated = repeats(there)
            print(f"{len(repeated)} messages came again")
            assert len(repeated) <= KILLS, "only the message in flight when it was killed may come again"
            assert set(there.named("other")) == {f"storm-{number:04d}" for number in range(OTHERS)}
            assert unrecorded(address, dev, "killed") == []


def repeats(there: Channel) -> list[Post]:
    """The messages that name an alert which one before had named."""
    known: set[str] = set()
    found = []
    for post in there.posts:
        titles = set(_TITLE.findall(json.dumps(post.payload.get("blocks", [])))) if post.status == 200 else set()
        found += [post] if titles & known else []
        known |= titles
    return found

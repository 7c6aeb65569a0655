"""A day of the demo's four policies as steps, each done by one handler; a step may go wrong, and the platform then does it again.

What comes of it without any fault is what must come of it with faults.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from nightjar import queues
from nightjar.channels.transport import Answer, Request, Unreachable
from nightjar.core.delivery import Row, delivery_id
from nightjar.core.instants import HOUR, MINUTE, SECOND
from nightjar.core.instants import iso as written
from nightjar.pipeline.deliver import Courier
from nightjar.storage import deliveries

from functions.notifier import app as notifier
from tests.world import CONTEXT, START, World, world

AGENT = "worker.billing"
WEBHOOK = "https://hooks.slack.com/services/T/B/ops"
POLICIES: dict[str, dict[str, Any]] = {
    "retries": {"period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 20},
    "backlog": {"period": "minute", "aggregate": "max", "condition": "gt", "threshold": 500},
    "duration": {"period": "day", "aggregate": "p95_est", "condition": "gt", "threshold": 30_000},
    "completed": {"period": "hour", "aggregate": "sum", "condition": "lt", "threshold": 10},
}

# Does a step's work under whatever the test does to it; True when it went wrong, so that the platform comes again.
Trial = Callable[[str, Callable[[], object]], bool]
Told = tuple[str, int]  # an alert, and the number of a transition


@dataclass
class Slack:
    """The receiver, and what it was told: which transitions each post named, and which of them the sender may not know of.

    Attributes:
        before: Called before a post reaches it; after: when it has taken it. What they raise is what the sender sees.
        unsure: Transitions that it took, and of which the sender has recorded nothing yet.
    """

    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    answers: Callable[[], Answer] = lambda: Answer(200, {}, b"ok")
    told: Counter[Told] = field(default_factory=Counter)
    unsure: set[Told] = field(default_factory=set)
    excused: Counter[Told] = field(default_factory=Counter)
    next: list[Told] = field(default_factory=list)

    def named(self, rows: list[Row]) -> str:
        """Stand in for delivery_id, which is asked for each message just before it goes out."""
        self.next = [(row.alert_id, row.number) for row in rows]
        return delivery_id(rows)

    def __call__(self, _: Request) -> Answer:
        self.before()
        answer = self.answers()
        if answer.status == 200:
            self.told.update(self.next)
            self.unsure |= set(self.next)
        try:
            self.after()
        except Unreachable:  # taken, but the sender cannot know: it must send again
            self.died()
            raise
        return answer

    def recorded(self, body: bytes) -> None:
        """Note that a transaction of the notifier was carried out: what it names is recorded."""
        for write in json.loads(body)["TransactItems"]:
            key = write.get("Update", {}).get("Key", {}).get("SK", {}).get("S", "")
            if key.startswith("r#") and write["Update"]["ExpressionAttributeValues"][":s"]["S"] == "sent":
                self.unsure.discard((write["Update"]["Key"]["PK"]["S"], int(key.rsplit("#", 1)[1])))

    def died(self) -> None:
        """Excuse one more message of what the dead process had posted and not recorded."""
        self.excused.update(self.unsure)
        self.unsure.clear()


@dataclass
class Stage:
    """One world, its receiver, and the story in it.

    Attributes:
        world: The world.
        slack: The receiver.
        trial: How each step is tried.
        ids: The policies' ids by name.
    """

    world: World
    slack: Slack
    trial: Trial
    ids: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    wrong: list[Any] = field(default_factory=list)

    def play(self) -> dict[str, Any]:
        """Tell the whole day; returns its end state."""
        self._begin()
        self._burst_and_backlog()
        self._stall()
        self._day_closes()
        self._people()
        self._settle()
        assert not self.wrong, self.wrong
        return self.end_state()

    def _begin(self) -> None:
        self.world.tick(START)
        self.world.made("POST", "/v1.0/destinations", {"channel": "slack", "url": WEBHOOK, "scope": "all"})
        for name, policy in POLICIES.items():
            body = {"agent": AGENT, "event": name, "title": name, "active_from": written(START + HOUR if name == "completed" else START), **policy}
            self.ids[name] = self.world.made("POST", "/v1.0/policies", body)["policy_id"]
        self.world.tick(START + 3 * MINUTE)

    def _burst_and_backlog(self) -> None:
        self.log(START + 3 * MINUTE, {"retries": [9] * 3, "backlog": [80, 600], "duration": [45_000] * 3})
        self.roll_up()
        self.notify()
        self.act("retries", "acknowledge")
        self.log(START + 4 * MINUTE, {"backlog": [100]})
        self.roll_up()
        self.tick(START + 6 * MINUTE)
        self.notify()

    def _stall(self) -> None:
        self.tick(START + 2 * HOUR + MINUTE)
        self.notify()
        self.log(START + 2 * HOUR + 20 * MINUTE, {"completed": [5, 5], "backlog": [20]})
        self.roll_up()
        self.notify()

    def _day_closes(self) -> None:
        midnight = START + 10 * HOUR
        for hour in range(17, 24):
            self.world.now = START + (hour - 14) * HOUR
            self.put({"completed": [12]})
        self.roll_up()
        self.tick(midnight + MINUTE)
        self.notify()

    def _people(self) -> None:
        self.act("duration", "resolve")
        self.act("duration", "archive")
        self.world.now += 10 * MINUTE
        self.put({"retries": [30]})
        self.roll_up()
        edited = {"agent": AGENT, "event": "retries", "title": "retries", **POLICIES["retries"], "threshold": 50}
        self.ask("PUT", f"/v1.0/policies/{self.ids['retries']}", edited, {200})
        self.ask("DELETE", f"/v1.0/policies/{self.ids['backlog']}", None, {200, 204, 404})
        self.notify()

    def _settle(self) -> None:
        """Let the platform run on undisturbed: what is still left is done."""
        for _ in range(4):
            self.world.now += MINUTE
            self.roll_up(tried=False)
            self.world.tick(self.world.now // MINUTE * MINUTE)
            self.notify(tried=False)

    def log(self, at: int, values: dict[str, list[int]]) -> None:
        """Let the clock go on and send logs, which the client sends again until it is answered with 200."""
        self.world.now = at + SECOND
        self.put(values)

    def put(self, values: dict[str, list[int]]) -> None:
        """Send logs with ids of the client's, so that a retry is known."""
        logs = []
        for name, found in values.items():
            for value in found:
                self.sent += 1
                log_id = f"00000000-0000-4000-8000-{self.sent:012d}"
                logs.append({"agent": AGENT, "event": name, "value": value, "log_id": log_id, "occurred_at": written(self.world.now)})
        self.ask("POST", "/v1.0/logs", logs, {200})

    def ask(self, method: str, path: str, body: Any, fine: set[int]) -> None:
        """Ask the API as a client that tries again does."""

        def asked() -> None:
            answer = self.world(method, path, body)
            if answer.status not in {*fine, 429}:
                self.wrong.append((method, path, answer))  # a fault of storage is no fault of the client's
            assert answer.status in fine, answer

        while self.trial(f"{method} {path.split('/')[2]}", asked):
            pass
        self.world.read_streams()

    def act(self, name: str, action: str) -> None:
        """Do what a person does to a policy's latest alert."""
        found = [alert for alert in self.world.alerts() if alert.policy_id == self.ids[name]]
        assert found, f"no alert of {name}"
        self.ask("POST", f"/v1.0/alerts/{found[-1].alert_id}/{action}", None, {200})

    def roll_up(self, *, tried: bool = True) -> None:
        """Give rollup the batch that waits until it has done it."""
        batch = list(self.world.logs)
        if not batch:
            return

        def rolled() -> None:
            answer = self.world.roll_up(batch)
            assert answer == {"batchItemFailures": []}, answer

        while (self.trial if tried else _untried)("rollup", rolled):
            self.world.read_streams()
        self.world.logs = []
        self.world.read_streams()

    def tick(self, at: int) -> None:
        """Let the schedule tick; a tick that went wrong is not repeated: the next one comes a minute later."""
        self.world.now = at + 2 * SECOND
        while self.trial("tick", lambda: self.world.tick(self.world.now // MINUTE * MINUTE)):
            self.world.now += MINUTE
        self.world.read_streams()

    def notify(self, *, tried: bool = True) -> None:
        """Give the notifier the transitions that wait until it has routed them, and each bell until it is answered."""
        self.world.read_streams()
        trial = self.trial if tried else _untried
        while self.world.outbox:
            batch, self.world.outbox = self.world.outbox, []
            while trial("route", lambda batch=batch: notifier.handler(json.loads(json.dumps({"Records": batch}, default=str)), CONTEXT)):  # type: ignore[misc]
                self.world.now += SECOND
            self.world.read_streams()
        while records := self.world._bells():
            for record in records:
                self._answer(record, trial)

    def _answer(self, record: dict[str, Any], trial: Trial) -> None:
        """Answer one bell. After a failure it is visible again at once: what SQS does when its time-out is over."""
        sqs, url = queues.bells().sqs, queues.bells().url
        with suppress(sqs.exceptions.ClientError):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=600)

        def answered() -> None:
            if notifier.handler({"Records": [record]}, CONTEXT)["batchItemFailures"]:
                raise NotYetError

        while trial("deliver", answered):
            self.world.now += SECOND
        sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])

    def end_state(self) -> dict[str, Any]:
        """Say what came of it all, without instants that a retry may move."""
        names = {policy_id: name for name, policy_id in self.ids.items()}
        found = sorted((names[alert.policy_id], alert.period_start - START, alert.status, str(alert.resolved_by)) for alert in self.world.alerts())
        return {"alerts": found, "counts": self._counts(), "told": sorted(self._told(names))}

    def _counts(self) -> dict[str, list[Any]]:
        counted = {}
        for event in self.world.made("GET", "/v1.0/events", None):
            points = self.world.made("GET", f"/v1.0/events/{event['event_id']}/logs?period=hour", None)
            counted[event["event"]] = sorted((point["count"], point["value"]) for point in points)
        return counted

    def _told(self, names: dict[str, str]) -> Iterator[tuple[str, int, str, str]]:
        """Yield each transition's record; and hold what was posted against them."""
        for alert in self.world.alerts():
            records, _ = deliveries.history(self.world.store, alert.alert_id)
            for record in records:
                posted, excused = self.slack.told[alert.alert_id, record.number], self.slack.excused[alert.alert_id, record.number]
                assert record.status != "sent" or 1 <= posted <= 1 + excused, (record, posted, excused)
                yield names[alert.policy_id], alert.period_start - START, record.type, record.status


class NotYetError(Exception):
    """The bell must come again."""


def _untried(_: str, work: Callable[[], object]) -> bool:
    """Do a step undisturbed; a bell that the receiver put off comes again."""
    try:
        work()
    except NotYetError:
        return True
    return False


@contextmanager
def stage(trial: Trial | None = None) -> Iterator[Stage]:
    """Set the story up in a world of its own."""
    slack = Slack()
    fakes = {
        "functions.notifier.app.Courier": partial(Courier, post=slack),
        "nightjar.pipeline.deliver.delivery_id": slack.named,
        "nightjar.storage.waiting.time": SimpleNamespace(sleep=lambda _: None),
    }
    with world(fakes=fakes) as made:
        yield Stage(made, slack, trial or _untried)

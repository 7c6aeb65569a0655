"""The notifier's desk: real routing, trays and bells on moto; fake receivers; a clock, and sleeps, that only move a number."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from nightjar.channels.transport import Answer, Request, Unreachable
from nightjar.core import destinations as nouns
from nightjar.core.alerts import Alert, Transition, TransitionType, transition_to_text
from nightjar.core.delivery import Attempt
from nightjar.core.destinations import Destination
from nightjar.core.ids import alert_id
from nightjar.core.instants import MINUTE, SECOND
from nightjar.pipeline.deliver import Courier, answer
from nightjar.pipeline.route import route
from nightjar.queues import Bell, Bells, bell_of
from nightjar.settings import Tables
from nightjar.storage import deliveries, destinations
from nightjar.storage.client import Store

from local.template import load
from tests.aws import Cloud
from tests.builders import at

STACK = load(Path(__file__).parent.parent / "template.yaml")
_MADE_UP = "the receiver closes the connection"

# What a receiver does with a post: a status and a body, a whole answer, or no answer.
Step = int | tuple[int, Any] | Answer | type[Unreachable]


def alert(policy_id: str = "p1", **given: Any) -> Alert:
    """An alert of a minute policy, count gt 20, opened by 25 logs at 14:03, unless said otherwise; numbers may be plain."""
    opened = given.pop("opened", "14:03")
    start = at(opened[:5])
    fields: dict[str, Any] = {
        "alert_id": alert_id(policy_id, 1, start), "policy_id": policy_id, "revision": 1, "event_id": "e1", "agent": "worker.billing", "event": "job.run",
        "severity": "warning", "period": "minute", "aggregate": "count", "condition": "gt", "threshold": 20, "period_start": start, "last_start": start,
        "last_end": start + MINUTE, "value": 25, "count": 25, "min": 1, "max": 1, "worst_value": 25, "triggered_at": at(opened), **given,
    }  # fmt: skip
    for name in ("threshold", "value", "min", "max", "worst_value", "worst_change", "previous_value", "change_percent"):
        if fields.get(name) is not None:
            fields[name] = Decimal(str(fields[name]))
    return Alert(**fields)


def transition(of: Alert, type: TransitionType = "opened", number: int = 1, *, clock: str = "14:03", **ending: Any) -> Transition:
    """A transition of an alert, written at some tick."""
    if type == "resolved":
        of = replace(of, status="resolved", resolved_at=at(clock), resolved_by=ending.get("by", "recovered"))
    return Transition(number=number, type=type, clock=at(clock), at=at(clock), alert=of)


def slack(name: str = "d1", **given: Any) -> Destination:
    """A Slack destination with a webhook of its own."""
    fields: dict[str, Any] = {"channel": "slack", "url": f"https://hooks.slack.com/services/T/B/{name}", **given}
    return Destination(destination_id=name, **fields)


def record(told: Transition, **extra: Any) -> dict[str, Any]:
    """The stream record of a new transition."""
    keys = {"PK": {"S": told.alert.policy_id}, "SK": {"S": f"t#{told.number:06d}"}}
    image = {**keys, "d": {"S": transition_to_text(told)}}
    return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, "NewImage": image}, **extra}


@dataclass
class Receivers:
    """Fake receivers: each URL has a script of answers, the last repeated; without one it answers 200 ok."""

    scripts: dict[str, list[Step]] = field(default_factory=dict)
    posts: list[Request] = field(default_factory=list)
    on_post: Callable[[Request], None] = lambda _: None

    def __call__(self, request: Request) -> Answer:
        self.posts.append(request)
        self.on_post(request)
        script = self.scripts.get(request.url, [200])
        step = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(step, type):
            raise step(_MADE_UP)
        if isinstance(step, Answer):
            return step
        status, body = step if isinstance(step, tuple) else (step, "ok")
        text = body if isinstance(body, str) else json.dumps(body)
        return Answer(status, {}, text.encode())

    def bodies(self, url: str | None = None) -> list[Any]:
        """What was posted (to one URL, or to all), parsed."""
        return [json.loads(request.body) for request in self.posts if url in (None, request.url)]


class Desk:
    """One notifier, and what it speaks to."""

    def __init__(self) -> None:
        self.cloud = Cloud(STACK)
        self.now = at("14:03")
        self.slept: list[float] = []
        self.hidden: list[int] = []
        self.seconds_left = 10_000.0
        self.tokens = 0
        self.receivers = Receivers()
        names = Tables(**{each: STACK.tables[f"{each.capitalize()}Table"].name for each in Tables.__slots__})
        self.store = Store(self.cloud.client("dynamodb"), names)
        self.queue = Bells(self.cloud.client("sqs"), STACK.queues["BellsQueue"].url)

    def add(self, *given: Destination) -> None:
        """Store destinations."""
        for destination in given:
            destinations.put_new(self.store, destination)

    def change(self, destination_id: str, **fields: Any) -> None:
        """Edit a destination."""
        found = self.destination(destination_id)
        destinations.replace(self.store, replace(found, **fields, version=found.version + 1))

    def destination(self, destination_id: str) -> Destination:
        """Read a destination."""
        found = destinations.get(self.store, destination_id)
        assert found is not None
        return found

    def write(self, told: Transition) -> None:
        """Put a transition, and its alert, where the engine puts them."""
        rows = [(told.alert.policy_id, f"t#{told.number:06d}", transition_to_text(told)), (told.alert.alert_id, "alert", _alert_text(told))]
        for pk, sk, text in rows:
            self.store.db.put_item(TableName=self.store.tables.alerts, Item={"PK": {"S": pk}, "SK": {"S": sk}, "d": {"S": text}})

    def route(self, *told: Transition) -> None:
        """Write transitions, and give them to the notifier as one batch."""
        for each in told:
            self.write(each)
        self.route_only(told)

    def route_only(self, told: Iterable[Transition]) -> None:
        """Give transitions that are written already to the notifier as one batch."""
        self.tokens += 1
        route(self.store, self.queue, [record(each) for each in told], token=f"t{self.tokens}", now=self.now)

    def courier(self) -> Courier:
        """What deliver is given."""
        self.tokens += 1
        return Courier(self.store, self.queue, lambda: self.now, self._sleep, lambda: self.seconds_left, f"t{self.tokens}", self.receivers)

    def bells(self) -> list[dict[str, Any]]:
        """Receive the bells that can be received now, as records of SQS events; they stay until they are answered."""
        found = self.queue.sqs.receive_message(
            QueueUrl=self.queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=0, AttributeNames=["All"]
        ).get("Messages", [])
        return [sqs_record(dict(message)) for message in found]

    def deliver(self, tray: str) -> bool:
        """Answer a bell for a tray; the wait that a receiver asked for is noted."""
        sqs = _Hider(self.queue.sqs, self.hidden)
        return answer(replace(self.courier(), queue=Bells(sqs, self.queue.url)), Bell("m", "r", tray))  # type: ignore[arg-type]

    def deliver_all(self) -> None:
        """Answer every bell that is in the queue, as Lambda would, until none is left that can be received."""
        while records := self.bells():
            for each in records:
                bell = bell_of(each)
                self.queue.sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=bell.receipt)
                self.deliver(bell.tray)

    def attempts(self, of: Alert, destination_id: str | None = None) -> list[Attempt]:
        """The deliveries of an alert (to one destination), oldest first."""
        found = deliveries.deliveries(self.store, of.alert_id, limit=1_000)
        return [each for each in reversed(found) if destination_id in (None, each.destination_id)]

    def statuses(self, of: Alert, destination_id: str | None = None) -> list[str]:
        """The deliveries of an alert in the words of cases.json: "sent 200", "failed 410", "pending"."""
        return [f"{each.status} {each.response_status or ''}".strip() for each in self.attempts(of, destination_id)]

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += int(seconds * SECOND)
        self.seconds_left -= seconds


@dataclass
class _Hider:
    """An SQS client that notes how long a bell is hidden instead of hiding it."""

    sqs: Any
    hidden: list[int]

    def change_message_visibility(self, *, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self.hidden.append(VisibilityTimeout)

    def send_message_batch(self, **given: Any) -> Any:
        return self.sqs.send_message_batch(**given)


def _alert_text(told: Transition) -> str:
    return json.dumps(json.loads(transition_to_text(told))["alert"])


def sqs_record(message: dict[str, Any]) -> dict[str, Any]:
    """A received message as a record of an SQS event."""
    return {
        "eventSource": "aws:sqs",
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }


def texts(payload: Any) -> Sequence[str]:
    """All texts in a payload, wherever they are."""
    if isinstance(payload, dict):
        return [text for value in payload.values() for text in texts(value)]
    if isinstance(payload, list):
        return [text for value in payload for text in texts(value)]
    return [payload] if isinstance(payload, str) else []


def destination_text(destination: Destination) -> str:
    """A destination as stored."""
    return nouns.to_text(destination)

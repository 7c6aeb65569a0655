"""One meeting of two handlers: what is there before, what the two do, and what must be true when all is drained."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from nightjar import queues
from nightjar.core.alerts import Alert
from nightjar.core.ids import event_id
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, iso
from nightjar.storage import alerts, deliveries, rollups

from functions.notifier import app as notifier
from functions.rollup import app as rollup
from tests.concurrency.together import Running, one_thread
from tests.crashes.story import WEBHOOK, Stage, stage
from tests.world import CONTEXT, START, Record

LONG_AGO = "2026-03-02T00:00:00Z"


@dataclass
class Meeting:
    """A world in which two handlers meet.

    Attributes:
        on: The world, its receiver, and how the platform comes again.
        tick: The tick at which they meet, or before it (µs).
        batch: The records that the rollups are given.
        held: Whatever else a scene prepares for its handlers.
        handed_over: Rollup was given the whole batch.
    """

    on: Stage
    tick: int = START + HOUR + MINUTE
    batch: list[Record] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    handed_over: bool = False

    def watch(self, event: str, **policy: Any) -> str:
        """Make a policy on an event of its own, named like it."""
        body = {"agent": "worker", "event": event, "title": event, "period": "hour", "active_from": LONG_AGO, **policy}
        made = str(self.on.world.made("POST", "/v1.0/policies", body)["policy_id"])
        self.on.ids[event] = made
        return made

    def destination(self, url: str = WEBHOOK) -> str:
        """Make a destination of all alerts."""
        return str(self.on.world.made("POST", "/v1.0/destinations", {"channel": "slack", "url": url, "scope": "all"})["destination_id"])

    def at(self, instant: int) -> None:
        """Move wall time (µs)."""
        self.on.world.now = instant

    def ticked(self, *minutes: int) -> None:
        """Let ticks come, at so many minutes after 14:00, and tell what they brought."""
        for minute in minutes:
            self.at(START + minute * MINUTE + 2 * SECOND)
            self.on.world.tick(START + minute * MINUTE)
            self.on.notify(tried=False)

    def log(self, event: str, count: int, at: int, value: int = 1) -> None:
        """Send logs; they wait for rollup."""
        given = [{"agent": "worker", "event": event, "value": value, "occurred_at": iso(at)} for _ in range(count)]
        assert self.on.world.send(given).status == 200

    def waiting(self) -> None:
        """Let what waits for rollup be the batch that is handed over."""
        self.batch, self.on.world.logs = self.on.world.logs, []
        rollup._policies.cache_clear()  # the workers that meet have just begun

    def roll_up(self, batch: list[Record] | None = None) -> Any:
        """Rollup's answer to a batch."""
        self.handed_over |= batch is None
        return self.on.world.roll_up(self.batch if batch is None else batch)

    def act(self, event: str, action: str) -> int:
        """A person's action on the policy's latest alert; what it was answered with."""
        return self.on.world("POST", f"/v1.0/alerts/{self.held[event]}/{action}").status

    def opened(self, event: str) -> None:
        """Remember the open alert of a policy, for a person to act on."""
        (self.held[event],) = [alert.alert_id for alert in self.on.world.alerts() if alert.policy_id == self.on.ids[event] and alert.is_open]

    def route(self, records: list[Record]) -> Any:
        """The notifier's answer to transitions."""
        return notifier.handler({"Records": records}, CONTEXT)

    def ring(self, bell: Record) -> Any:
        """The notifier's answer to a bell, which is gone from the queue then."""
        answer = notifier.handler({"Records": [bell]}, CONTEXT)
        if not answer["batchItemFailures"]:
            queues.bells().sqs.delete_message(QueueUrl=queues.bells().url, ReceiptHandle=bell["receiptHandle"])
        return answer

    def settle(self, met: list[Running], *, again: bool) -> None:
        """Let the platform come again with all that it may, or with nothing that succeeded, then run on undisturbed for two minutes."""
        for one in met:
            assert one.error is None, one.error
        if "bell" in self.held:
            with suppress(ClientError):  # answered, or else it can be received again
                queues.bells().sqs.change_message_visibility(QueueUrl=queues.bells().url, ReceiptHandle=self.held["bell"]["receiptHandle"], VisibilityTimeout=0)
        if self.batch and (again or not self.handed_over):
            assert self.roll_up() == {"batchItemFailures": []}
        for minute in range(2):
            self.on.roll_up(tried=False)
            self.at(max(self.on.world.now // MINUTE * MINUTE, self.tick + minute * MINUTE) + MINUTE + 2 * SECOND)
            self.on.world.tick(self.on.world.now // MINUTE * MINUTE)
            self.on.notify(tried=False)

    def outcome(self) -> dict[str, Any]:
        """What came of it: each policy's alerts and transitions and what was told of them, and the buckets of each event."""
        found = [(alert, deliveries.history(self.on.world.store, alert.alert_id)[0]) for alert in self.on.world.alerts()]
        sent = Counter((each.alert_id, each.number) for _, records in found for each in records if each.status == "sent")
        assert self.on.slack.told == sent, "each transition once to each destination that it was sent to"
        policies = {name: self._policy(policy_id, [pair for pair in found if pair[0].policy_id == policy_id]) for name, policy_id in self.on.ids.items()}
        return {**policies, "counts": self._counts()}

    def _policy(self, policy_id: str, own: list[tuple[Alert, list[deliveries.Record]]]) -> Any:
        state = alerts.load_state(self.on.world.store, policy_id)
        told = [alerts.read_transition(self.on.world.store, policy_id, number) for number in range(1, (state.number if state else 0) + 2)]
        assert told.pop() is None, "a transition that the state does not know of"
        assert all(told), "a gap in the numbers"
        still = [alert.alert_id for alert, _ in own if alert.is_open]
        assert still == ([state.open.alert_id] if state and state.open else []), "one open alert a policy, and the state's"
        verdicts = sorted((each.period_start - START, each.status, str(each.resolved_by), str(each.value), each.periods) for each, _ in own)
        return verdicts, [each.type for each in told if each], sorted((each.number, each.type, each.status) for _, records in own for each in records)

    def _counts(self) -> dict[str, Any]:
        """Count and sum of every bucket."""
        world, letters = self.on.world, ("m", "h")
        return {
            f"{event} {letter}": [
                (start - START, bucket.count, str(bucket.total))
                for start, bucket in rollups.query(world.store, event_id("worker", event), letter, START - DAY, world.now, now=world.now)  # type: ignore[arg-type]
            ]
            for event in self.on.ids
            for letter in letters
        }


@dataclass(frozen=True)
class Scene:
    """What meets what: `prepare` makes the world, `works` are the two."""

    prepare: Callable[[Meeting], None]
    works: tuple[Callable[[Meeting], Any], Callable[[Meeting], Any]]


@contextmanager
def stands(scene: Scene) -> Iterator[Callable[[], Meeting]]:
    """Give what makes the world of a scene stand there, again and again, as it is before the two meet."""
    with one_thread(), ExitStack() as worlds:
        if os.environ.get("NIGHTJAR_DYNAMODB"):
            yield lambda: _prepared(scene, worlds)
            return
        made = _prepared(scene, worlds)
        before = _kept(made)

        def again() -> Meeting:
            _restore(made.on, before)
            return Meeting(made.on, made.tick, list(made.batch), made.held)

        yield again


def _prepared(scene: Scene, worlds: ExitStack) -> Meeting:
    """Make a world in place of the one before."""
    worlds.close()
    made = Meeting(worlds.enter_context(stage()))
    made.on.world.tick(START)
    scene.prepare(made)
    return made


def _kept(made: Meeting) -> Any:
    """Copy what handlers change in moto and in a world: quicker than to prepare it anew."""
    world, moto = made.on.world, made.on.world.cloud.moto
    messages = [queue._messages for queue in moto.sqs.queues.values()]
    return deepcopy((moto.dynamodb.tables, messages, world.now, world.logs, world.outbox, world.read_upto, made.on.slack.told))


def _restore(on: Stage, before: Any) -> None:
    """Bring back what was copied."""
    moto = on.world.cloud.moto
    moto.dynamodb.tables, messages, on.world.now, on.world.logs, on.world.outbox, on.world.read_upto, on.slack.told = deepcopy(before)
    for queue, found in zip(moto.sqs.queues.values(), messages, strict=True):
        queue._messages[:] = found
        queue.pending_messages.clear()
        queue.deleted_messages.clear()
    rollup._policies.cache_clear()

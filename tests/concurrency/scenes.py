"""What meets what. Every scene is at 14:00 of one day; the tick at 15:01 closes the hour from 14:00."""

import json
from copy import deepcopy
from typing import Any

from nightjar.core.instants import HOUR, MINUTE, SECOND, iso

from tests.concurrency.play import Meeting, Scene
from tests.crashes.story import WEBHOOK
from tests.world import START, Record

BURST = {"aggregate": "sum", "condition": "gt", "threshold": 20}
LATE = {**BURST, "early": False}
STALL = {"aggregate": "count", "condition": "lt", "threshold": 10}


def _rollups(meeting: Meeting) -> None:
    meeting.destination()
    meeting.watch("burst", **BURST)
    meeting.watch("peak", period="minute", aggregate="max", condition="gt", threshold=5)
    meeting.tick = START + 3 * MINUTE
    meeting.at(meeting.tick)
    for _ in range(3):
        meeting.log("burst", 9, START + 2 * MINUTE)
        meeting.log("peak", 3, START + 2 * MINUTE, value=9)
    meeting.waiting()


def _shards(meeting: Meeting) -> None:
    """Give the second half of a batch to another write shard: another source, with an order of its own."""
    _rollups(meeting)
    half = len(meeting.batch) // 2
    meeting.held["other"] = [_resharded(record) for record in meeting.batch[half:]]
    meeting.batch = meeting.batch[:half]


def _resharded(record: Record) -> Record:
    made = deepcopy(record)
    for place in (made["dynamodb"]["Keys"], made["dynamodb"]["NewImage"]):
        place["PK"]["S"] = place["PK"]["S"].removesuffix("#0") + "#1"
    return made


def _first_half(meeting: Meeting) -> Any:
    return meeting.roll_up(meeting.batch[: len(meeting.batch) // 2])


def _other_shard(meeting: Meeting) -> Any:
    return meeting.roll_up(meeting.held["other"])


def _tick(meeting: Meeting) -> Any:
    return meeting.on.world.tick(meeting.tick)


def _next_tick(meeting: Meeting) -> Any:
    return meeting.on.world.tick(meeting.tick + MINUTE)


def _evaluators(meeting: Meeting) -> None:
    """A tick that opens, ends, reminds, releases what was held, and looks at an edit again."""
    meeting.destination()
    meeting.watch("stalled", **STALL)
    meeting.watch("closes", **LATE)
    meeting.watch("reminded", **BURST, renotify_minutes=60)
    meeting.watch("held", **BURST, mute_until=iso(meeting.tick))
    meeting.watch("over", **BURST, period="minute")
    meeting.log("closes", 27, START)
    meeting.log("reminded", 27, START)
    meeting.on.roll_up(tried=False)
    meeting.on.notify(tried=False)
    meeting.ticked(1, 58)
    meeting.at(START + 58 * MINUTE + 30 * SECOND)
    meeting.log("over", 27, START + 58 * MINUTE + 20 * SECOND)
    meeting.log("held", 27, START + 58 * MINUTE + 20 * SECOND)
    meeting.watch("rolling", **BURST, window="rolling")
    meeting.on.roll_up(tried=False)
    meeting.on.notify(tried=False)
    meeting.ticked(59)
    meeting.log("rolling", 27, START + 59 * MINUTE + SECOND)
    meeting.on.roll_up(tried=False)
    meeting.ticked(60)
    meeting.on.world.made("PUT", f"/v1.0/policies/{meeting.on.ids['stalled']}", {"threshold": 9})
    meeting.at(meeting.tick + MINUTE + 2 * SECOND)


def _data_and_tick(meeting: Meeting) -> None:
    """Logs of the hour that the tick closes wait for rollup."""
    meeting.destination()
    meeting.watch("closes", **LATE)
    meeting.watch("stalled", **STALL)
    meeting.watch("of_three", **STALL, period="minute", evaluation_periods=3, datapoints_to_alarm=2)
    meeting.ticked(59, 60)
    meeting.at(meeting.tick + 2 * SECOND)
    for event in ("closes", "stalled", "of_three"):
        meeting.log(event, 27, START + 59 * MINUTE + 40 * SECOND)
    meeting.waiting()


def _tick_alone(meeting: Meeting) -> None:
    """The same policies; the logs are yet to be sent."""
    _data_and_tick(meeting)
    meeting.batch = []


def _sent_and_rolled_up(meeting: Meeting) -> Any:
    """Ingest and rollup of logs, some of them late, while the tick goes on."""
    for event in ("closes", "stalled"):
        meeting.log(event, 27, START + 59 * MINUTE + 50 * SECOND)
    batch, meeting.on.world.logs = meeting.on.world.logs, []
    return meeting.roll_up(batch)


def _person(meeting: Meeting) -> None:
    """An open alert that the tick ends, and one that it only updates."""
    meeting.destination()
    meeting.watch("over", **BURST, period="minute")
    meeting.watch("goes_on", **BURST)
    meeting.ticked(59)
    meeting.at(START + 59 * MINUTE + 30 * SECOND)
    meeting.log("goes_on", 27, START + 59 * MINUTE)
    meeting.log("over", 27, START + 58 * MINUTE)
    meeting.on.roll_up(tried=False)
    meeting.on.notify(tried=False)
    meeting.opened("over")
    meeting.opened("goes_on")
    meeting.log("over", 1, START + 59 * MINUTE + 20 * SECOND)
    meeting.log("goes_on", 3, START + 59 * MINUTE + 20 * SECOND)
    meeting.waiting()
    meeting.tick = START + HOUR + MINUTE
    meeting.at(meeting.tick + 2 * SECOND)


def _acknowledges(meeting: Meeting) -> Any:
    return meeting.act("over", "acknowledge"), meeting.act("goes_on", "acknowledge")


def _resolves(meeting: Meeting) -> Any:
    return meeting.act("over", "resolve"), meeting.act("goes_on", "resolve")


def _edits(meeting: Meeting) -> Any:
    """Set another threshold: what is open ends, what breaches it still opens anew."""
    return [meeting.on.world("PUT", f"/v1.0/policies/{policy_id}", {"threshold": 5}).status for policy_id in meeting.on.ids.values()]


def _disables(meeting: Meeting) -> Any:
    return [meeting.on.world("PUT", f"/v1.0/policies/{policy_id}", {"enabled": False}).status for policy_id in meeting.on.ids.values()]


def _deletes(meeting: Meeting) -> Any:
    return [meeting.on.world("DELETE", f"/v1.0/policies/{policy_id}", None).status for policy_id in meeting.on.ids.values()]


def _notifiers(meeting: Meeting) -> None:
    """Some openings lie in the tray of a webhook, with a bell; an ending and another opening wait to be routed."""
    meeting.destination()
    for event in ("first", "second", "third"):
        meeting.watch(event, **BURST, period="minute")
    meeting.at(START + 2 * MINUTE)
    for event in ("first", "second"):
        meeting.log(event, 27, START + MINUTE)
    meeting.on.roll_up(tried=False)
    meeting.route(_through_json(meeting.on.world.outbox))
    meeting.on.world.outbox = []
    meeting.held["bell"], *_ = meeting.on.world._bells()
    meeting.log("third", 27, START + MINUTE)
    meeting.log("first", 1, START + 2 * MINUTE)
    meeting.on.roll_up(tried=False)
    meeting.at(START + 4 * MINUTE + 2 * SECOND)
    meeting.on.world.tick(START + 4 * MINUTE)
    meeting.tick = START + 4 * MINUTE
    meeting.held["told"], meeting.on.world.outbox = _through_json(meeting.on.world.outbox), []


def _through_json(records: list[Record]) -> list[Record]:
    found: list[Record] = json.loads(json.dumps(records, default=str))
    return found


def _sends(meeting: Meeting) -> Any:
    return meeting.ring(meeting.held["bell"])


def _routes(meeting: Meeting) -> Any:
    return meeting.route(meeting.held["told"])


def _routes_and_sends(meeting: Meeting) -> Any:
    """Another notifier is given the same transitions, and what it put into the tray is sent at once."""
    meeting.route(meeting.held["told"])
    return meeting.ring(meeting.held["bell"])


def _two_destinations(meeting: Meeting) -> None:
    meeting.held["going"] = meeting.destination(f"{WEBHOOK}/going")
    _notifiers(meeting)


def _forgets(meeting: Meeting) -> Any:
    """A person deletes a destination that messages wait for."""
    return meeting.on.world("DELETE", f"/v1.0/destinations/{meeting.held['going']}", None).status


def _roll_up(meeting: Meeting) -> Any:
    return meeting.roll_up()


SCENES = {
    "two rollups of one batch": Scene(_rollups, (_roll_up, _roll_up)),
    "rollup of half a batch and of all of it": Scene(_rollups, (_first_half, _roll_up)),
    "rollups of two write shards": Scene(_shards, (_roll_up, _other_shard)),
    "one tick twice": Scene(_evaluators, (_tick, _tick)),
    "two ticks": Scene(_evaluators, (_tick, _next_tick)),
    "tick and rollup": Scene(_data_and_tick, (_tick, _roll_up)),
    "tick, ingest and rollup": Scene(_tick_alone, (_tick, _sent_and_rolled_up)),
    "acknowledgement and tick": Scene(_person, (_acknowledges, _tick)),
    "resolution and tick": Scene(_person, (_resolves, _tick)),
    "resolution and rollup": Scene(_person, (_resolves, _roll_up)),
    "edit and tick": Scene(_person, (_edits, _tick)),
    "edit and rollup": Scene(_person, (_edits, _roll_up)),
    "disabling and tick": Scene(_person, (_disables, _tick)),
    "disabling and rollup": Scene(_person, (_disables, _roll_up)),
    "deletion and rollup": Scene(_person, (_deletes, _roll_up)),
    "sender and router": Scene(_notifiers, (_sends, _routes)),
    "two routers and a sender": Scene(_notifiers, (_routes, _routes_and_sends)),
    "deletion of a destination and router": Scene(_two_destinations, (_forgets, _routes)),
}

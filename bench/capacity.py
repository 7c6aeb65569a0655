"""Capacity units on DynamoDB's own engine: write units a log, read units a policy judged. The handlers are the real ones.

Run: `make capacity` (which starts a DynamoDB Local; `NIGHTJAR_DYNAMODB=http://… python -m bench.capacity` uses one that runs).
What is measured is what DynamoDB Local says that each call consumed. The figures to hold: at most 1.02 write units a log for one event in
full batches, and 3.1 for 100 events interleaved, each batch one log of each. Ends with 1 if one of them is missed.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightjar.core.instants import HOUR, MINUTE, SECOND, iso

from local.cloud import Streaming
from local.stack import Table
from local.wire import Response
from tests.world import Record, World, world

READS = frozenset({"GetItem", "BatchGetItem", "Query"})
ONE_EVENT, HUNDRED_EVENTS = 1.02, 3.1
POLICIES = 200
LOGS = 3_000


@dataclass
class Meter:
    """A DynamoDB whose units are counted: by table, read or written."""

    under: Streaming
    units: Counter[tuple[str, str]] = field(default_factory=Counter)

    def handle(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Pass a call on, and note what it consumed."""
        kind = "read" if headers["X-Amz-Target"].rpartition(".")[2] in READS else "write"
        answer = self.under.handle(service, headers, json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode())
        found = json.loads(answer.body).get("ConsumedCapacity", [])
        for each in [found] if isinstance(found, dict) else found:
            self.units[kind, each["TableName"].removeprefix("nightjar-")] += each["CapacityUnits"]
        return answer

    def records(self, table: Table, after: str, limit: int) -> list[dict[str, Any]]:
        """Read a stream: Lambda does it, for nothing."""
        return self.under.records(table, after, limit)

    def stream_arn(self, table: Table) -> str:
        """The ARN of a stream."""
        return self.under.stream_arn(table)

    def taken(self, kind: str, by: int) -> dict[str, float]:
        """What was consumed, by table, for each of so many."""
        return {table: units / by for (what, table), units in sorted(self.units.items()) if what == kind and units}


def metered(made: World) -> Meter:
    """Count what a world consumes from here on."""
    meter = Meter(made.cloud.dynamodb)
    made.cloud.dynamodb = meter
    return meter


def logs(made: World, events: int, number: int) -> list[dict[str, Any]]:
    """Counters: one second of a job each, dealt over the events in turn."""
    at = iso(made.now - 30 * SECOND)
    return [{"agent": "bench", "event": f"e{place % events}", "value": 1, "occurred_at": at} for place in range(number)]


def counted(events: int, number: int, batch: int, begin: Callable[[World], Meter] = metered) -> Meter:
    """Send logs of events that exist already, give them to rollup so many at a time, and say what it consumed; `begin` is where it starts."""
    with world() as made:
        made.send(logs(made, events, events))
        made.roll_up()
        meter = begin(made)
        waiting = logs(made, events, number)
        for at in range(0, number, 500):
            made.send(waiting[at : at + 500])
        made.logs = dealt(made.logs)
        while made.logs:
            made.roll_up(made.logs[:batch])
        return meter


def dealt(records: Sequence[Record]) -> list[Record]:
    """One record of each event in turn; those of one event stay in their order."""
    seen: Counter[str] = Counter()
    turns = []
    for record in records:
        key = record["dynamodb"]["Keys"]["PK"]["S"]
        seen[key] += 1
        turns.append((seen[key], key, record))
    return [record for _, _, record in sorted(turns, key=lambda each: each[:2])]


def policy(number: int, period: str) -> dict[str, Any]:
    """A policy on an event of its own."""
    rule = {"aggregate": "count", "condition": "gt", "threshold": 1_000_000}
    return {"agent": "bench", "event": f"{period}{number}", "period": period, "severity": "info", "delay_seconds": 60, **rule}


def judged(period: str, length: int, begin: Callable[[World], Meter] = metered) -> Meter:
    """Say what a tick consumes that judges 200 policies; each has 20 logs in its period, nothing changes.

    The policies are older than the two minutes in which a new one is looked at again.
    """
    with world() as made:
        start = made.now - made.now % length
        end = start + max(length, 6 * MINUTE)
        made.now = start + SECOND
        made.tick(start)
        for number in range(POLICIES):
            made.made("POST", "/v1.0/policies", policy(number, period))
        for tick in range(start + MINUTE, end + MINUTE, MINUTE):
            made.now = tick + SECOND
            made.tick(tick)
            if tick == end - MINUTE:
                _log(made, period)
        meter = begin(made)
        made.now = end + MINUTE + SECOND
        made.tick(end + MINUTE)
        return meter


def _log(made: World, period: str) -> None:
    """Send 20 logs of each policy's event, and count them."""
    at = iso(made.now)
    for first in range(0, POLICIES, 25):
        made.send([{"agent": "bench", "event": f"{period}{first + number % 25}", "value": 1, "occurred_at": at} for number in range(500)])
    while made.logs:
        made.roll_up(made.logs[:1_000])


def line(name: str, units: Mapping[str, float], goal: float | None = None) -> bool:
    """Print a figure; tell whether it is above its goal."""
    total = sum(units.values())
    parts = ", ".join(f"{table} {value:.3f}" for table, value in units.items())
    missed = goal is not None and total > goal
    print(f"{name:62} {total:6.3f}{f' (at most {goal})' if goal else ''}{' MISSED' if missed else ''}   {parts}")
    return missed


def main() -> int:
    """Measure and print."""
    if "NIGHTJAR_DYNAMODB" not in os.environ:
        raise SystemExit("needs a DynamoDB Local: make capacity")
    missed = [
        line("write units a log: one event, batches of 1,000", counted(1, LOGS, 1_000).taken("write", LOGS), ONE_EVENT),
        line("write units a log: 100 events interleaved, batches of 100", counted(100, LOGS, 100).taken("write", LOGS), HUNDRED_EVENTS),
    ]
    for period, length in (("minute", MINUTE), ("hour", HOUR)):
        meter = judged(period, length)
        line(f"read units a {period} policy judged, {POLICIES} of them in a tick", meter.taken("read", POLICIES))
        line(f"write units a {period} policy judged, nothing changed", meter.taken("write", POLICIES))
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())

"""10,000 logs through the SDK, each sent twice, half of them among others the second time: rollups count each once, to the digit."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import chirpier
import numpy as np
import pytest
import requests
import simplejson

from scripts.demo.system import System

AGENT, EVENT = "worker.import", "import.duration_ms"
BATCH, BATCHES = 500, 20
SPAN_MINUTES = 300  # over a UTC midnight: two days, six hours, at most 1,000 minutes as the API lists them

Point = dict[str, Any]


@dataclass(frozen=True)
class Import:
    """What was sent, and the event it became."""

    event_id: str
    logs: list[chirpier.Log]

    def values(self, start: datetime, end: datetime) -> list[float]:
        """The distinct values of a stretch of time."""
        return [log.value for log in self.logs if start <= log.occurred_at < end]


@pytest.fixture(scope="module")
def imported(system: System) -> Import:
    """Send every batch, then every batch again: the first half as it was, the others dealt out anew."""
    chance = random.Random(10_000)
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1, minutes=150)
    logs = [
        chirpier.Log(EVENT, round(math.exp(chance.gauss(7, 1)), 3), agent=AGENT, occurred_at=start + timedelta(seconds=chance.randrange(SPAN_MINUTES * 60)))
        for _ in range(BATCH * BATCHES)
    ]
    again = logs[: len(logs) // 2] + chance.sample(logs[len(logs) // 2 :], len(logs) // 2)
    for batch in [*_batches(logs), *_batches(again)]:
        system.log(batch)
    system.drain()
    (event,) = [each for each in system.client.list_events() if each["event"] == EVENT]
    return Import(event["event_id"], logs)


def _batches(logs: list[chirpier.Log]) -> Iterable[list[chirpier.Log]]:
    return (logs[start : start + BATCH] for start in range(0, len(logs), BATCH))


def points(system: System, event_id: str, period: str) -> list[Point]:
    """An event's points, numbers with the digits that the answer has."""
    headers = {"Authorization": f"Bearer {system.key}"}
    answer = requests.get(f"{system.url}/v1.0/events/{event_id}/logs?period={period}&limit=1000", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[Point] = simplejson.loads(answer.text, use_decimal=True)
    return found


@pytest.mark.parametrize(("period", "length"), [("minute", timedelta(minutes=1)), ("hour", timedelta(hours=1)), ("day", timedelta(days=1))])
def test_count_and_sum_of_every_period_are_those_of_the_distinct_logs(system: System, imported: Import, period: str, length: timedelta) -> None:
    found = points(system, imported.event_id, period)
    assert sum(point["count"] for point in found) == BATCH * BATCHES
    for point in found:
        start = datetime.fromisoformat(point["occurred_at"])
        values = [Decimal(repr(value)) for value in imported.values(start, start + length)]
        assert (point["count"], Decimal(point["value"])) == (len(values), sum(values))
        assert (Decimal(point["min"]), Decimal(point["max"])) == (min(values), max(values))
        assert Decimal(point["squares"]) == sum(value * value for value in values)


@pytest.mark.parametrize(("period", "length"), [("hour", timedelta(hours=1)), ("day", timedelta(days=1))])
def test_quantiles_of_hours_and_days_are_within_one_per_cent_of_numpys(system: System, imported: Import, period: str, length: timedelta) -> None:
    for point in points(system, imported.event_id, period):
        start = datetime.fromisoformat(point["occurred_at"])
        expected = np.percentile(imported.values(start, start + length), [50, 95, 99])
        assert [float(point[name]) for name in ("p50", "p95", "p99")] == pytest.approx(list(expected), rel=0.01)


def test_the_same_logs_a_third_time_change_nothing(system: System, imported: Import) -> None:
    before = points(system, imported.event_id, "hour")
    system.log(imported.logs[:BATCH])
    system.drain()
    assert points(system, imported.event_id, "hour") == before

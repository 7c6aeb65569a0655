"""p50, p95 and p99 of 100,000 log-normal durations, as the API of a local system answers them, against numpy's.

    .venv/bin/python -m bench.quantiles [logs]

The logs lie in one UTC day. Ends with 1 if a quantile of the day, or of one of its hours, is more than 1 % off. It takes about a minute.
"""

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import requests

from scripts.demo.system import System

_BATCH = 20_000
_AGENT, _EVENT = "worker.bench", "job.duration_ms"
_QUANTILES = {"p50": 50, "p95": 95, "p99": 99}
_LIMIT = 0.01

Sample = tuple[datetime, float]


def main() -> int:
    """Send, read, compare, and print what was found."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    samples = _samples(number)
    with System.start("--no-clock") as system:
        began = time.perf_counter()
        for start in range(0, number, _BATCH):
            _send(system, samples[start : start + _BATCH], start)
        system.drain()
        print(f"{number:,} logs sent and rolled up in {time.perf_counter() - began:.0f} s")
        (event,) = [each for each in system.client.list_events() if each["event"] == _EVENT]
        days, hours = (system.client.get_event_logs(event["event_id"], period=period) for period in ("day", "hour"))
    found = [_compare("day", days, timedelta(days=1), samples), _compare("hour", hours, timedelta(hours=1), samples)]
    return 0 if max(found) <= _LIMIT else 1


def _samples(number: int) -> list[Sample]:
    """Spread values evenly over yesterday."""
    chance = random.Random(95)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return [(day + timedelta(days=1) * (each / number), round(chance.lognormvariate(8, 1), 3)) for each in range(number)]


def _send(system: System, samples: list[Sample], first: int) -> None:
    """Post a batch until it is taken; what an earlier try stored is not stored again."""
    logs = [
        {"agent": _AGENT, "event": _EVENT, "value": value, "occurred_at": at.isoformat(), "log_id": str(UUID(int=number))}
        for number, (at, value) in enumerate(samples, first)
    ]
    status = 429
    while status == requests.codes.too_many_requests:
        answer = requests.post(f"{system.url}/v1.0/logs", json=logs, headers={"Authorization": f"Bearer {system.key}"}, timeout=30)
        status = answer.status_code
    answer.raise_for_status()


def _compare(period: str, points: list[dict[str, Any]], length: timedelta, samples: list[Sample]) -> float:
    """Print how far the quantiles of points are off at most; return the largest as a part of 1. A wrong count is off by all."""
    worst = dict.fromkeys(_QUANTILES, 0.0)
    for point in points:
        start = datetime.fromisoformat(point["occurred_at"])
        values = [value for at, value in samples if start <= at < start + length]
        for name, percent in _QUANTILES.items():
            off = abs(point[name] / float(np.percentile(values, percent)) - 1) if point["count"] == len(values) else 1.0
            worst[name] = max(worst[name], off)
    print(f"{len(points)} {period}s, off at most: " + ", ".join(f"{name} {off:.3%}" for name, off in worst.items()))
    return max(worst.values())


if __name__ == "__main__":
    sys.exit(main())

"""From a log's 200 to the Slack POST, on a local system on its own clock: a hundred alerts, one after the other.

    .venv/bin/python -m bench.latency [alerts]

Each alert has an event, a policy and a Slack channel of its own: a burst of 27 retries, as one request, against a limit of 20;
the next one comes when the system is idle again, so that none waits for another.
Both instants are this machine's clock: when the sender had the 200, and when the fake Slack took the message.
"""

import sys
import time
from statistics import median, quantiles
from uuid import uuid4

import requests

from scripts.demo.system import System

_BURST, _LIMIT = 27, 20
_WARM_UP = 3


def main() -> None:
    """Measure, and print what was measured."""
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with System.start("--clock") as system:
        took = [_measure(system, number) for number in range(alerts + _WARM_UP)][_WARM_UP:]
    worst = quantiles(took, n=100, method="inclusive")[98]
    print(f"log's 200 → Slack POST, {len(took)} alerts: p50 {median(took):.3f} s, p99 {worst:.3f} s, most {max(took):.3f} s")


def _measure(system: System, number: int) -> float:
    """Return how long (seconds) one alert took."""
    channel = _watch(system, number)
    answered = _burst(system, number)
    system.drain()
    return _arrived(system, channel) - answered


def _watch(system: System, number: int) -> str:
    """Make a policy and a channel of its own."""
    policy = system.client.create_policy({
        "agent": f"worker.{number}", "event": "job.retry.count", "period": "hour", "aggregate": "sum", "condition": "gt", "threshold": _LIMIT,
    })  # fmt: skip
    channel = f"latency-{number}"
    system.client.create_destination({"channel": "slack", "url": f"{system.url}/_slack/{channel}", "scope": "policies", "policy_ids": [policy["policy_id"]]})
    return channel


def _burst(system: System, number: int) -> float:
    """Send a burst; return when it was answered (seconds)."""
    logs = [{"agent": f"worker.{number}", "event": "job.retry.count", "value": 1, "log_id": str(uuid4())} for _ in range(_BURST)]
    answer = requests.post(f"{system.url}/v1.0/logs", json=logs, headers={"Authorization": f"Bearer {system.key}"}, timeout=10)
    answered = time.time()
    answer.raise_for_status()
    return answered


def _arrived(system: System, channel: str) -> float:
    """Return when the only message of a channel arrived (seconds)."""
    (post,) = requests.get(f"{system.url}/_slack/{channel}", timeout=10).json()
    return float(post["at"])


if __name__ == "__main__":
    main()

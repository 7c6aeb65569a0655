"""Alerts over HTTP: what opens them, what ends them, and where the message arrives."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import chirpier
import requests

from scripts.demo.system import System

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def channel_of(system: System, policy_id: str) -> str:
    """Make a Slack channel of its own for a policy."""
    channel = f"team-{uuid4().hex[:8]}"
    system.client.create_destination({"channel": "slack", "url": f"{system.url}/_slack/{channel}", "scope": "policies", "policy_ids": [policy_id]})
    return channel


def texts(system: System, channel: str) -> list[str]:
    """What a channel has received: the fallback text of each message."""
    return [post["payload"]["text"] for post in requests.get(f"{system.url}/_slack/{channel}", timeout=10).json()]


def eventually(found: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for a condition, and return what made it true."""
    until = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
    return result


def statuses(system: System, policy_id: str) -> list[tuple[str, str | None]]:
    """The status of each alert of a policy, and by what it ended."""
    return [(alert["status"], alert["resolved_by"]) for alert in system.client.list_alerts() if alert["policy_id"] == policy_id]


def retries(count: int, agent: str) -> list[chirpier.Log]:
    return [chirpier.Log("job.retry.count", 1, agent=agent, meta={"job_type": "invoice", "queue": "billing"}) for _ in range(count)]


def test_a_burst_of_retries_now_pages_exactly_once_in_its_own_channel(ticking: System) -> None:
    body = {"agent": "worker.burst", "event": "job.retry.count", "period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 20, "severity": "error"}
    policy = ticking.client.create_policy({**body, "title": "Retries"})
    other = ticking.client.create_policy({**body, "agent": "worker.other", "title": "Others"})
    mine, theirs = channel_of(ticking, policy["policy_id"]), channel_of(ticking, other["policy_id"])
    _wait_for_room_in_the_hour()

    ticking.log(retries(20, "worker.burst"))
    ticking.drain()
    assert texts(ticking, mine) == [], "20 is not more than 20"
    ticking.log(retries(7, "worker.burst"))
    eventually(lambda: texts(ticking, mine))
    ticking.log(retries(30, "worker.burst"))
    ticking.drain()

    (told,) = texts(ticking, mine)
    assert told.startswith("🟠 Error: Retries (worker.burst · job.retry.count): 2")
    assert told.endswith(" so far this hour, limit 20")
    assert texts(ticking, theirs) == []
    assert statuses(ticking, policy["policy_id"]) == [("triggered", None)]


def _wait_for_room_in_the_hour() -> None:
    """Let an hour begin rather than have it end inside the test."""
    left = 3600 - time.time() % 3600
    if left < 20:
        time.sleep(left + 0.1)


def stall_policy(system: System, agent: str, since: datetime) -> dict[str, Any]:
    """Fewer than ten completions an hour, as the first hour of silence sees it."""
    body = {"agent": agent, "event": "job.completed.count", "period": "hour", "aggregate": "sum", "condition": "lt", "threshold": 10, "severity": "critical"}
    found: dict[str, Any] = system.client.create_policy({**body, "title": "Stall", "active_from": since.isoformat()})
    return found


def test_a_stall_of_an_event_that_never_had_a_log_opens_a_minute_after_the_hour_and_ten_completions_end_it(system: System) -> None:
    agent, hour = "worker.silent", datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    policy = stall_policy(system, agent, hour)
    channel = channel_of(system, policy["policy_id"])
    system.tick(hour)
    for tick in (hour + HOUR - MINUTE, hour + HOUR):
        system.tick(tick)
    assert statuses(system, policy["policy_id"]) == [], "room for retries and lag"

    system.tick(hour + HOUR + MINUTE)
    system.drain()
    assert statuses(system, policy["policy_id"]) == [("triggered", None)]
    assert [text.split("): ")[-1] for text in texts(system, channel)] == ["no logs this hour, expected at least 10"]

    done = [chirpier.Log("job.completed.count", 1, agent=agent, occurred_at=hour + HOUR + MINUTE + timedelta(seconds=n)) for n in range(10)]
    system.log(done[:9])
    system.drain()
    assert statuses(system, policy["policy_id"]) == [("triggered", None)]
    system.log(done[9:])
    system.drain()
    assert statuses(system, policy["policy_id"]) == [("resolved", "recovered")]
    assert len(texts(system, channel)) == 2
    assert texts(system, channel)[1].startswith("✅ Recovered: Stall")

"""A log's way through every function: stored, counted, judged, told; held back by a mute; and storage that throttles."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from scripts.verify.account import NotShown, Visit, hold
from scripts.verify.answers import busy

_COUNTED, _TOLD = 60, 180  # s
_RETRIES = 60


def counted(visit: Visit) -> str:
    """Three logs, sent twice, are three in a bucket."""
    event = f"counted-{uuid4()}"
    logs = [{"agent": visit.mark, "event": event, "value": number, "log_id": str(uuid4()), "occurred_at": _now()} for number in (1, 2, 4)]
    began = time.monotonic()
    for _ in range(2):
        answer = visit.api.made("POST", "/v1.0/logs", logs)
        hold(answer == {"accepted": 3, "rejected": []}, f"logs were answered {answer}")
    visit.until(lambda: _points(visit, event)[0] >= 3, _COUNTED, "the logs were stored and not counted")  # noqa: PLR2004
    took = time.monotonic() - began
    visit.pause(2)
    found = _points(visit, event)
    hold(found == (3, 7), f"three logs of 1, 2 and 4, sent twice, are {found[0]} of together {found[1]}")
    return f"in their bucket after {took:.1f} s, each once"


def told(visit: Visit) -> str:
    """A breach opens an alert, which is delivered."""
    destination, began = _destination(visit), time.monotonic()
    alert = _alerted(visit, "told", destination)
    sent = visit.until(lambda: _sent(visit, alert), _TOLD, "the alert opened and was not delivered")
    return f"alert, and delivery {sent['status']} {sent['response_status']}, {time.monotonic() - began:.1f} s after its policy was made"


def muted(visit: Visit) -> str:
    """A mute holds a message back, and its end lets it go."""
    destination = _destination(visit)
    body = {"agent": visit.mark, "event": "muted-*", "until": _now(timedelta(minutes=20)), "reason": "scripts/verify-on-aws"}
    mute = visit.api.made("POST", "/v1.0/mutes", body)["mute_id"]
    visit.later(lambda: visit.api("DELETE", f"/v1.0/mutes/{mute}"))
    alert = _alerted(visit, "muted", destination)
    for _ in range(5):
        visit.pause(2)
        hold(_sent(visit, alert) is None, "it was delivered in spite of the mute")
    visit.api.made("DELETE", f"/v1.0/mutes/{mute}")
    visit.until(lambda: _sent(visit, alert), _TOLD, "the mute was deleted and nothing delivered")
    return "held back, and delivered after the mute was deleted"


def throttling(visit: Visit) -> str:
    """More logs of one event at once than a partition takes: 200 or a 429 that says when to come again, and none lost."""
    if not visit.load:
        raise NotShown("it writes as many logs as you say; give --load 20000 (about four cents)")
    event, when = f"load-{uuid4()}", _now()
    logs = [{"agent": visit.mark, "event": event, "value": 1, "log_id": str(uuid4()), "occurred_at": when} for _ in range(visit.load)]
    waits = 0
    while (answer := visit.api("POST", "/v1.0/logs", logs)).status != 200:  # noqa: PLR2004
        problem, waits = busy(answer), waits + 1
        hold(problem is None, f"an overload is answered {problem}")
        hold(waits < _RETRIES, f"{_RETRIES} tries, and storage still throttles")
        visit.pause(int(answer.headers["Retry-After"]))
    visit.until(lambda: _points(visit, event)[0] >= visit.load, 10 * _COUNTED, f"{visit.load} were stored, {_points(visit, event)[0]} counted")
    hold(_points(visit, event) == (visit.load, visit.load), f"{visit.load} logs are counted as {_points(visit, event)[0]}")
    return f"{visit.load} logs of one event after {waits} answers of 429, each counted once"


def rendering(visit: Visit) -> str:
    """Nobody but a person sees what Slack makes of a message."""
    where = "look into the channel" if visit.destination else "give --destination-url, and look into the channel"
    raise NotShown(f"Slack tells nobody how it shows a message: {where}, and hold it against docs/slack.png")


def _now(ahead: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + ahead).isoformat()


def _destination(visit: Visit) -> str:
    """Make a destination that hears only of policies that name it."""
    if not visit.destination:
        raise NotShown("name a Slack channel or a webhook that may get a few messages with --destination-url")
    host = urlsplit(visit.destination).hostname or ""
    is_slack = host.endswith("slack.com") or "/_slack/" in visit.destination
    body = {"channel": "slack" if is_slack else "webhook", "url": visit.destination, "scope": "policies", "policy_ids": [], "name": "scripts/verify-on-aws"}
    made: str = visit.api.made("POST", "/v1.0/destinations", body)["destination_id"]
    visit.later(lambda: visit.api("DELETE", f"/v1.0/destinations/{made}"))
    return made


def _alerted(visit: Visit, name: str, destination: str) -> str:
    """Make a policy for the destination, break it, and wait for its alert."""
    event = f"{name}-{uuid4()}"
    rule = {"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 2, "severity": "info", "title": f"scripts/verify-on-aws: {name}"}
    policy = visit.api.made("POST", "/v1.0/policies", {"agent": visit.mark, "event": event, **rule})["policy_id"]
    visit.later(lambda: visit.api("DELETE", f"/v1.0/policies/{policy}"))
    visit.api.made("PUT", f"/v1.0/destinations/{destination}", {"policy_ids": [policy]})
    visit.api.made("POST", "/v1.0/logs", 3 * [{"agent": visit.mark, "event": event, "value": 1, "occurred_at": _now()}])
    return str(visit.until(lambda: _alert_of(visit, policy), _COUNTED, "three logs, more than two, opened no alert"))


def _alert_of(visit: Visit, policy: str) -> str | None:
    alerts = visit.api.made("GET", "/v1.0/alerts?status=triggered&limit=100")
    return next((each["alert_id"] for each in alerts if each["policy_id"] == policy), None)


def _sent(visit: Visit, alert: str) -> Any:
    rows = visit.api.made("GET", f"/v1.0/alerts/{alert}/deliveries")
    failed = [each for each in rows if each["status"] == "failed"]
    hold(not failed, f"a delivery failed: {failed[:1]}")
    return next((each for each in rows if each["status"] == "sent"), None)


def _points(visit: Visit, event: str) -> tuple[int, float]:
    """How many logs of an event are counted, and their sum."""
    events = visit.api.made("GET", "/v1.0/events?limit=1000")
    found = next((each["event_id"] for each in events if (each["agent"], each["event"]) == (visit.mark, event)), None)
    hold(found is not None, "an event did not appear with its first log")
    points = visit.api.made("GET", f"/v1.0/events/{found}/logs?period=hour&limit=10")
    return sum(each["count"] for each in points), sum(each["value"] for each in points)

"""The reference engine against the cases: all of kind engine, and the delivery cases that are like them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.cases.script import DEFAULT_AGENT, Script, instant, load_script, played_cases, timestamp
from tests.reference.alerts import Alert
from tests.reference.logs import Bucket
from tests.reference.messages import Messenger
from tests.reference.periods import HOUR, MINUTE
from tests.reference.replay import replay

CASES = played_cases()
KNOWN = {"alerts", "messages", "message_contains", "message_must_not", "skipped", "held_back", "rollups", "days"}
TIMES = ("period_start", "opened_at", "resolved_at", "triggered_at")


@pytest.fixture(params=CASES, ids=list(CASES))
def played(request: pytest.FixtureRequest) -> tuple[Script, Messenger]:
    """A case and the reference after it."""
    script = load_script(CASES[request.param])
    return script, replay(script)


def test_the_reference_does_what_the_case_expects(played: tuple[Script, Messenger]) -> None:
    """Alerts, messages, skipped messages, held-back judgements, rollups and days are those of the case."""
    script, messenger = played
    assert set(script.expect) <= KNOWN
    check_alerts(script, messenger)
    check_messages(script, messenger)
    if "skipped" in script.expect:
        assert sorted((one.what, one.alert.policy_id) for one in messenger.skipped) == sorted(skipped(script.expect["skipped"]))
    assert messenger.engine.held_back == script.expect.get("held_back", 0)
    check_rollups(script, messenger)
    check_days(script, messenger)


def check_alerts(script: Script, messenger: Messenger) -> None:
    """Compare the fields that are named, alerts of one instant in any order."""
    if "alerts" not in script.expect:
        return
    expected = sorted(script.expect["alerts"], key=lambda one: (one["opened_at"], one["policy"]))
    actual = sorted(messenger.engine.alerts, key=lambda one: (one.opened_at, one.policy_id))
    shown = [described(alert, wanted) for alert, wanted in zip(actual, expected, strict=False)]
    assert shown + [described(alert, {}) for alert in actual[len(expected) :]] == expected
    assert [one["opened_at"] for one in script.expect["alerts"]] == [timestamp(alert.opened_at) for alert in messenger.engine.alerts]


def described(alert: Alert, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert with the fields that a case names."""
    names = wanted or ("policy", "period_start", "opened_at", "status", "resolved_at", "resolved_by")
    values: dict[str, Any] = {name: alert.policy_id if name == "policy" else getattr(alert, name) for name in names}
    return {name: timestamp(value) if name in TIMES and isinstance(value, int) else value for name, value in values.items()}


def check_messages(script: Script, messenger: Messenger) -> None:
    """Compare what each destination was told, a set at each instant."""
    if "messages" not in script.expect:
        return
    expected = script.expect["messages"]
    told: dict[str, list[str]] = {name: [] for name in (*messenger.destinations, *(one.destination_id for one in messenger.messages))}
    for message in messenger.messages:
        told[message.destination_id].append(f"{timestamp(message.at)} {message.kind} {message.policy_id}")
    by_destination = expected if isinstance(expected, Mapping) else {"d1": expected}
    assert {name: sorted(told[name]) for name in told} == {name: sorted(by_destination.get(name, [])) for name in told}


def skipped(lines: list[str]) -> list[tuple[str, str]]:
    """Read "openings of e, f, i"."""
    matches = [re.fullmatch(r"(opening|ending)s? of (.+)", line) for line in lines]
    return [(match[1], policy) for match in matches if match for policy in match[2].split(", ")]


def check_rollups(script: Script, messenger: Messenger) -> None:
    """Compare the points that are named: the minute at start, or the hour of the first log where there is no start."""
    for point in script.expect.get("rollups", []):
        key = (DEFAULT_AGENT, point["event"])
        first = next(log.time for step in script.steps if hasattr(step, "logs") for log in step.logs if log.event == point["event"])
        start = instant(point["start"]) if "start" in point else first - first % HOUR
        bucket = messenger.engine.bucket(key, start, start + (MINUTE if "start" in point else HOUR))
        for name in point.keys() - {"event", "start", "within"}:
            assert figure(bucket, name) == Decimal(point[name]), (point, name)


def figure(bucket: Bucket, name: str) -> Decimal | None:
    """Return a figure of a point by its name in API.md."""
    if name in ("p50", "p95", "p99"):
        return bucket.measure(f"{name}_est")
    return bucket.sum if name == "value" else getattr(bucket, name)


def check_days(script: Script, messenger: Messenger) -> None:
    """Compare the event's days and whether they are judged."""
    calendar = messenger.engine.calendar((DEFAULT_AGENT, "job.run"))
    for start, end, judged in script.expect.get("days", []):
        day = calendar.day(instant(start))
        assert (timestamp(day.start), timestamp(day.end)) == (start, end)
        assert calendar.is_judged("day", day) is (judged == "judged")

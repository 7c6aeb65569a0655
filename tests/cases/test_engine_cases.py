"""Every engine case and its siblings, through the real handlers on moto."""

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from nightjar.core import ids
from nightjar.core.instants import MINUTE, iso, parse_instant

from tests.cases.play import Play
from tests.cases.script import DEFAULT_AGENT, DEFAULT_EVENT, Script, Step, Store, Tick, load_cases, load_script, played_cases
from tests.cases.test_reference_cases import skipped
from tests.world import World, world

CASES = played_cases()
# 4,800 minutes, about 30 ms each on moto. Left out are ticks at which nothing can happen, so that they change nothing: no log came
# in the ten minutes before (no minute is in alarm, or recovers; what lies between two ticks is judged by the later one), and no
# hour and no active hours begin or end near it. The reference handles them all (test_reference_cases).
LONG = {"e17-active-hours-over-midnight"}


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        yield made


def marked(case_id: str) -> Any:
    """Mark a case that takes long, and a sibling where each call takes long: it is played on moto."""
    marks = [pytest.mark.timeout(600)] if case_id in LONG else []
    if "NIGHTJAR_DYNAMODB" in os.environ and case_id not in load_cases():
        marks.append(pytest.mark.skip(reason="siblings are played on moto"))
    return pytest.param(case_id, marks=marks)


@pytest.mark.parametrize("case_id", [marked(case_id) for case_id in CASES])
def test_alerts_and_messages_of_case(case_id: str, on_moto: World) -> None:
    script = load_script(CASES[case_id])
    play = Play(on_moto, sparser(script) if case_id in LONG else script)
    play.run()
    expect = CASES[case_id]["expect"]
    if "alerts" in expect:
        found, expected = _ordered([_seen(play, alert) for alert in play.alerts()]), _ordered([_plain(each) for each in expect["alerts"]])
        assert [each["policy"] for each in found] == [each["policy"] for each in expected]
        assert [{name: one[name] for name in other} for one, other in zip(found, expected, strict=True)] == expected
    if "messages" in expect:
        told = expect["messages"] if isinstance(expect["messages"], dict) else {"d1": expect["messages"]}
        expected_messages = [f"{name} {line}" for name, lines in told.items() for line in lines]
        assert sorted(f"{name} {iso(at)} {kind} {policy}" for at, name, kind, policy in play.messages) == sorted(expected_messages)
    if "skipped" in expect:
        assert sorted(play.skipped()) == sorted(skipped(expect["skipped"]))
    assert on_moto.held_back() == expect.get("held_back", 0)
    _check_points(on_moto, expect)
    assert all(expect.get("message_contains", "") in text for text in play.texts[1:])
    assert not any(word in text for text in play.texts for word in expect.get("message_must_not", []))


def _check_points(on_moto: World, expect: dict[str, Any]) -> None:
    """Hold what GET …/logs shows against the points and the days that a case names."""
    for point in expect.get("rollups", []):
        rows = _points(on_moto, point["event"], "minute" if "start" in point else "hour")
        row = next(row for row in rows if row["occurred_at"] == point["start"]) if "start" in point else rows[-1]
        for name in point.keys() - {"event", "start", "within"}:
            off = abs(Decimal(row[name]) - Decimal(point[name]))
            assert off <= (Decimal(point[name]) / 100 if "within" in point and name.startswith("p") else 0), (point, name, row[name])
        assert row["min"] <= row["p50"] <= row["p95"] <= row["p99"] <= row["max"]
    for start, end, _ in expect.get("days", []):
        shown = [row["occurred_at"] for row in _points(on_moto, DEFAULT_EVENT, "day") if start <= row["occurred_at"] < end]
        assert shown in ([], [start])


def _points(on_moto: World, event: str, period: str) -> list[dict[str, Any]]:
    return list(on_moto.made("GET", f"/v1.0/events/{ids.event_id(DEFAULT_AGENT, event)}/logs?period={period}", None))


def sparser(script: Script) -> Script:
    """A script without the ticks at which nothing can happen."""
    stored = [step.at for step in script.steps if isinstance(step, Store)]

    def matters(step: Step) -> bool:
        if not isinstance(step, Tick):
            return True
        recent = any(0 <= step.scheduled - at <= 10 * MINUTE for at in stored)
        return recent or (step.scheduled + MINUTE) % (30 * MINUTE) <= 3 * MINUTE

    return replace(script, steps=tuple(filter(matters, script.steps)))


def _plain(expected: dict[str, Any]) -> dict[str, Any]:
    instants = ("period_start", "opened_at", "resolved_at", "triggered_at")
    return {name: parse_instant(value) if name in instants else value for name, value in expected.items()}


def _ordered(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(alerts, key=lambda each: (each["opened_at"], each["policy"]))


def _seen(play: Play, alert: Any) -> dict[str, Any]:
    return {
        "policy": play.name_of(alert.policy_id), "period_start": alert.period_start, "status": alert.status, "value": alert.value, "count": alert.count,
        "periods": alert.periods, "resolved_by": alert.resolved_by, "triggered_at": alert.triggered_at,
        "worst_value": alert.worst_value, "previous_value": alert.previous_value, "change_percent": alert.change_percent,
        "opened_at": play.step_of(alert, "opened"), "resolved_at": play.step_of(alert, "resolved"),
    }  # fmt: skip

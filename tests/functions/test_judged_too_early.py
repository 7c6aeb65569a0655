"""A tick and a rollup at one moment: what a tick judged by buckets that it read a moment too early does not stay."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from nightjar.core.instants import HOUR, MINUTE, SECOND, iso
from nightjar.pipeline import judge

from tests.world import START, World, world

HOURLY = {"event": "job", "period": "hour", "active_from": "2026-03-02T00:00:00Z"}


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        yield made


def late(on: World, value: int, count: int) -> None:
    """Logs of the hour that has just ended."""
    on.send([{"event": "job", "value": value, "occurred_at": iso(START + 59 * MINUTE)} for _ in range(count)])


def tick(on: World, minute: int) -> None:
    on.now = START + minute * MINUTE + 2 * SECOND
    on.tick(START + minute * MINUTE)


def tick_with_a_rollup_behind_its_back(on: World, minute: int) -> None:
    """A tick during which rollup applies what waits, once the tick has read its buckets and decided."""
    real, rolled_up = judge.evaluation.judge_period, []

    def decided(*given: Any, **named: Any) -> Any:
        found = real(*given, **named)
        if not rolled_up:
            rolled_up.append(on.roll_up())
        return found

    with mock.patch.object(judge.evaluation, "judge_period", decided):
        tick(on, minute)


def test_a_stall_that_ends_while_a_tick_judges_it_is_not_told(on_moto: World) -> None:
    tick(on_moto, 58)
    on_moto.made("POST", "/v1.0/policies", {**HOURLY, "aggregate": "count", "condition": "lt", "threshold": 10})
    tick(on_moto, 60)
    late(on_moto, 1, 27)
    tick_with_a_rollup_behind_its_back(on_moto, 61)
    assert on_moto.alerts() == []


def test_an_average_that_falls_while_a_tick_judges_it_is_corrected(on_moto: World) -> None:
    tick(on_moto, 0)
    on_moto.made("POST", "/v1.0/policies", {**HOURLY, "aggregate": "average", "condition": "gt", "threshold": 20})
    late(on_moto, 50, 1)
    on_moto.roll_up()
    tick(on_moto, 60)
    late(on_moto, 1, 27)
    tick_with_a_rollup_behind_its_back(on_moto, 61)
    assert [alert.resolved_by for alert in on_moto.alerts()] == ["corrected"]


def test_a_policy_of_which_what_was_skipped_cannot_be_told_stops_no_other(on_moto: World) -> None:
    tick(on_moto, 0)
    on_moto.made("POST", "/v1.0/policies", {**HOURLY, "aggregate": "count", "condition": "lt", "threshold": 1})
    with mock.patch("nightjar.pipeline.evaluate.skipped", side_effect=[ValueError, None, None]):
        tick(on_moto, 61)
    assert [alert.status for alert in on_moto.alerts()] == ["triggered"]


def test_one_policy_that_begins_in_the_year_9999_stops_no_tick(on_moto: World) -> None:
    tick(on_moto, 0)
    on_moto.made("POST", "/v1.0/events", {"event": "job", "timezone": "Europe/Berlin"})
    stored = on_moto.made("POST", "/v1.0/policies", {**HOURLY, "period": "day", "aggregate": "count", "condition": "gt", "threshold": 1})
    with mock.patch("nightjar.api.policies.rules.active_from_problem", return_value=None):  # as it could be stored once
        on_moto.made("PUT", f"/v1.0/policies/{stored['policy_id']}", {"active_from": "9999-12-31T00:00:00Z"})
    on_moto.made("POST", "/v1.0/policies", {"event": "other", "period": "hour", "aggregate": "count", "condition": "lt", "threshold": 1})
    for hour in range(1, 60):
        on_moto.now = START + hour * HOUR + MINUTE
        on_moto.tick(START + hour * HOUR + MINUTE)
    assert [alert.event for alert in on_moto.alerts()] == ["other"]

"""How a policy stands."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.evaluation import judge_period
from nightjar.core.evidence import bins_of
from nightjar.core.instants import HOUR, MINUTE, iso
from nightjar.core.periods import Bin, Period
from nightjar.core.rollups import Bucket
from nightjar.core.standing import Standing, lately_judged, next_judged_at, standing

from tests.builders import at, evidence, hour, hours, minutes, policy, state


def stands(tick: str, buckets: dict[Bin, Bucket], **given: Any) -> Standing:
    return standing(None, evidence(policy(**given), tick, buckets))


def test_the_latest_closed_hour_tells() -> None:
    found = stands("14:30", hours({"13:00": 5, "12:00": 30}))
    assert found == Standing("ok", "condition_does_not_hold", Decimal(5), hour("13:00"), at("15:01"))


def test_an_hour_that_ended_a_moment_ago_is_not_judged_yet() -> None:
    found = stands("14:00", hours({"13:00": 5, "12:00": 3}))
    assert (found.last_period, found.last_value, found.next_judged_at) == (hour("12:00"), 3, at("14:01"))


def test_the_running_hour_tells_once_its_outcome_is_settled() -> None:
    found = stands("14:30", hours({"13:00": 5, "14:00": 27}, clock="14:10"))
    assert (found.state, found.last_reason, found.last_value, found.last_period) == ("ok", "condition_holds", 27, hour("14:00"))


@pytest.mark.parametrize(
    ("given", "counts", "expected", "reason", "value"),
    [
        ({"missing": "ignore"}, {}, "no_data", "no_logs", None),
        ({"missing": "zero"}, {}, "ok", "condition_does_not_hold", 0),
        ({"missing": "breach"}, {}, "ok", "no_logs", None),
        ({"min_count": 3}, {"13:00": 2}, "no_data", "too_few_logs", None),
        ({"compare": "previous_window"}, {"13:00": 2}, "no_data", "no_baseline", 2),
        ({"recovery_threshold": 5}, {"13:00": 10}, "ok", "between_thresholds", 10),
        ({"active_from": at("13:30"), "condition": "lt"}, {"13:00": 2}, "pending", "before_active_from", None),
        ({"active_from": at("14:00")}, {"13:00": 2}, "pending", "before_active_from", None),
        ({"active_from": at("13:30"), "missing": "ignore"}, {}, "pending", "before_active_from", None),
        ({"active_from": at("13:30")}, {"13:00": 2}, "ok", "condition_does_not_hold", 2),
    ],
)
def test_a_state_says_why_nothing_fired(given: dict[str, Any], counts: dict[str, int], expected: str, reason: str, value: int | None) -> None:
    found = stands("14:30", hours(counts), **given)
    assert (found.state, found.last_reason, found.last_value) == (expected, reason, value)


@pytest.mark.parametrize("status", ["triggered", "acknowledged"])
def test_an_open_alert_is_the_state(status: Any) -> None:
    watched = policy()
    buckets = hours({"13:00": 30})
    decision = judge_period(state(watched), hour("13:00"), evidence(watched, "14:01", buckets), now=at("14:01"))
    (alert,) = decision.alerts
    from dataclasses import replace

    found = standing(replace(alert, status=status), evidence(watched, "15:30", buckets))
    assert (found.state, found.last_reason, found.last_value) == (status, "condition_does_not_hold", 0)


@pytest.mark.parametrize(
    ("given", "tick", "expected"),
    [
        ({}, "14:00", "14:01"),
        ({}, "14:01", "15:01"),
        ({"delay_seconds": 0}, "14:00", "15:00"),
        ({"delay_seconds": 90}, "14:01", "14:02"),
        ({"period": "minute"}, "14:05", "14:06"),
        ({"period": "day"}, "14:05", "2026-03-04T00:01:00Z"),
        ({"active_from": at("17:30")}, "14:05", "18:01"),
        ({"active_from": at("17:30"), "condition": "lt"}, "14:05", "19:01"),
        ({"active_from": at("17:00"), "condition": "lt"}, "14:05", "18:01"),
        ({"window": "rolling"}, "14:05", "14:06"),
        ({"window": "rolling", "window_minutes": 240}, "14:05", "15:01"),
        ({"window": "rolling", "active_from": at("14:30"), "condition": "lt"}, "14:45", "15:31"),
        ({"window": "rolling", "active_from": at("14:30:30")}, "14:05", "14:32"),
        ({"window": "rolling", "window_minutes": 240, "active_from": at("14:30"), "condition": "lt"}, "14:45", "19:01"),
    ],
)
def test_the_next_judgement_is_the_tick_of_the_first_period_that_counts(given: dict[str, Any], tick: str, expected: str) -> None:
    assert iso(next_judged_at(policy(**given), at(tick))) == iso(at(expected))


def test_a_rolling_policy_stands_by_its_latest_window() -> None:
    window = Period(at("14:04") - HOUR, at("14:04"))
    found = stands("14:05", minutes({"13:04": 4, "14:03": 5, "14:04": 9}), window="rolling")
    assert (found.last_period, found.last_value) == (window, 9)


def test_only_what_may_have_been_judged_is_read() -> None:
    assert bins_of(policy(), lately_judged(policy(), at("14:30"))) == {("h", at("13:00")), ("h", at("14:00"))}
    late = policy(aggregate="average")
    assert bins_of(late, lately_judged(late, at("14:30"))) == {("h", at("13:00"))}
    fine = policy(period="minute")
    assert len(lately_judged(fine, at("14:30"))) == 8
    assert lately_judged(fine, at("14:30"))[0].start == at("14:30") + 5 * MINUTE

"""A past range replayed by the engine's own steps."""

from collections.abc import Iterable
from typing import Any

import pytest
from nightjar.core.alerts import Alert
from nightjar.core.evidence import bins_of
from nightjar.core.instants import DAY, HOUR, iso
from nightjar.core.periods import Bin
from nightjar.core.preview import Preview, TooLong, longest_range, periods_between, replay
from nightjar.core.rollups import Bucket

from tests.builders import at, bucket, hours, minutes, policy

FAR = at("2026-05-01T00:00:00Z")


def run(buckets: dict[Bin, Bucket], start: str = "00:00", end: str = "2026-03-04T00:00:00Z", now: int = FAR, **given: Any) -> Preview:
    watched = policy(**{"active_from": at(start), **given})
    periods = periods_between(watched, at(start), at(end), now)
    wanted = bins_of(watched, periods)
    return replay(watched, periods, {key: found for key, found in buckets.items() if key in wanted}, min((key[1] for key in buckets), default=None))


def told(alerts: Iterable[Alert]) -> list[tuple[Any, ...]]:
    """Return when each alert began, was told and ended, how, and over how many periods."""
    return [
        (iso(alert.period_start)[11:16], iso(alert.triggered_at)[11:16], alert.resolved_at and iso(alert.resolved_at)[11:16], alert.resolved_by, alert.periods)
        for alert in alerts
    ]


def test_a_burst_and_its_recovery() -> None:
    found = run(hours({"14:00": 30, "15:00": 21, "16:00": 20}))
    assert told(found.alerts.values()) == [("14:00", "15:01", "17:01", "recovered", 2)]
    assert [(alert.value, alert.worst_value) for alert in found.alerts.values()] == [(21, 30)]
    assert found.outcomes == {"breach": 2, "healthy": 22}


def test_silence_is_seen_in_every_hour_of_the_range() -> None:
    found = run(hours({f"{hour:02d}:00": 12 for hour in range(24) if hour not in {3, 4}}), condition="lt", threshold=10)
    assert told(found.alerts.values()) == [("03:00", "04:01", "06:01", "recovered", 2)]


def test_an_alert_still_open_at_the_end_has_no_ending() -> None:
    assert told(run(hours({"23:00": 30})).alerts.values()) == [("23:00", "00:01", None, None, 1)]


def test_what_is_still_to_come_is_not_known_at_a_tick() -> None:
    found = run(hours({"14:00": 1, "15:00": 30}, clock="14:30"), condition="lt", threshold=10, missing="ignore")
    assert told(found.alerts.values()) == [("14:00", "15:01", "16:01", "recovered", 1)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"recovery_periods": 2}, ("14:00", "15:01", "18:01", "recovered", 2)),
        ({"recovery_threshold": 5}, ("14:00", "15:01", "18:01", "recovered", 2)),
        ({"evaluation_periods": 3, "datapoints_to_alarm": 2}, ("15:00", "16:01", "18:01", "recovered", 1)),
        ({"delay_seconds": 600}, ("14:00", "15:10", "17:10", "recovered", 2)),
        ({"auto_resolve": False}, ("14:00", "15:01", None, None, 2)),
        ({"min_count": 25}, ("14:00", "15:01", None, None, 1)),
    ],
)
def test_every_setting_counts_as_it_does_live(given: dict[str, Any], expected: tuple[Any, ...]) -> None:
    counts = {"14:00": 30, "15:00": 21, "16:00": 10, "17:00": 3}
    assert told(run(hours(counts), end="18:00", **given).alerts.values()) == [expected]


def test_an_alert_that_hears_nothing_for_a_day_ends_as_no_data() -> None:
    found = run(hours({"14:00": 30}), end="2026-03-05T00:00:00Z", missing="ignore")
    (alert,) = found.alerts.values()
    assert (alert.resolved_by, alert.resolved_at) == ("no_data", at("2026-03-04T15:01:00Z"))


def test_a_comparison_reads_what_lies_before_the_range() -> None:
    found = run(hours({"13:00": 100, "14:00": 165}), start="14:00", end="15:00", compare="previous_window", threshold=50)
    (alert,) = found.alerts.values()
    assert (alert.value, alert.previous_value, alert.change_percent) == (165, 100, 65)


def test_a_rolling_window_slides_by_the_minute() -> None:
    found = run({**minutes({"14:10": 15, "14:40": 10}), **hours({"14:00": 25})}, start="14:00", end="16:00", window="rolling")
    (alert,) = found.alerts.values()
    assert told([alert]) == [("13:41", "14:42", "15:12", "recovered", 30)]


def test_a_day_in_a_zone_is_that_zones_day() -> None:
    zones = ((-(2**62), "America/New_York"),)
    buckets = {("h", at("2026-03-03T05:00:00Z")): bucket([1] * 30), ("h", at("2026-03-03T04:00:00Z")): bucket([1] * 30)}
    found = run(buckets, start="2026-03-01T05:00:00Z", end="2026-03-05T05:00:00Z", period="day", threshold=40, zones=zones)  # type: ignore[arg-type]
    assert not found.alerts
    found = run(buckets, start="2026-03-01T05:00:00Z", end="2026-03-05T05:00:00Z", period="day", threshold=20, zones=zones)  # type: ignore[arg-type]
    (alert,) = found.alerts.values()
    assert (iso(alert.period_start), alert.periods) == ("2026-03-02T05:00:00Z", 2)


def test_only_periods_that_are_due_by_now_are_judged() -> None:
    assert [iso(period.start)[11:16] for period in periods_between(policy(), at("10:30"), at("14:00"), at("13:00"))] == ["10:00", "11:00"]
    assert [iso(period.start)[11:16] for period in periods_between(policy(), at("10:30"), at("14:00"), at("13:01"))] == ["10:00", "11:00", "12:00"]
    assert periods_between(policy(), at("10:30"), at("10:59"), FAR) == []


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ({"period": "minute"}, 14), ({}, 840), ({"window": "rolling"}, 4), ({"window": "rolling", "window_minutes": 2}, 14),
        ({"window": "rolling", "period": "day"}, 700),
    ],
)  # fmt: skip
def test_a_range_has_an_end(given: dict[str, Any], days: int) -> None:
    watched = policy(**given)
    assert longest_range(watched) // DAY == days
    start = at("00:00") - longest_range(watched)
    assert periods_between(watched, start, at("00:00"), FAR)
    with pytest.raises(TooLong, match=f"{days} days long at most"):
        periods_between(watched, start - HOUR, at("00:00"), FAR)

"""What is told late names its period, and says what the alert says by now."""

from dataclasses import replace
from typing import Any

import pytest
from nightjar.channels import webhook
from nightjar.core.alerts import Alert
from nightjar.core.instants import DAY, parse_instant
from nightjar.core.when import span
from nightjar.core.wording import Background, notice

from tests.builders import at
from tests.desk import alert, transition

DASH = "\N{EN DASH}"
HOUR_OF_14 = f"on 3 Mar, 14:00{DASH}15:00 UTC"


def hourly(**given: Any) -> Alert:
    """An alert of the hour of 14:00, opened early by 27 logs unless said otherwise."""
    return alert(**{"period": "hour", "opened": "14:00", "last_end": at("15:00"), "value": 27, "count": 27, "worst_value": 27, "early": True, **given})


def said(of: Alert, now: str, type: Any = "opened") -> str:
    return notice([transition(of, type)], now=parse_instant(now) if "T" in now else at(now)).sentence


@pytest.mark.parametrize(
    ("now", "when"),
    [
        ("14:04", "so far this hour"), ("14:59", "so far this hour"), ("15:00", "this hour"), ("15:01", "this hour"), ("15:09", "this hour"),
        ("15:10", HOUR_OF_14), ("15:42", HOUR_OF_14), ("2026-03-04T08:00:00Z", HOUR_OF_14), ("2027-01-01T00:00:00Z", f"on 3 Mar 2026, 14:00{DASH}15:00 UTC"),
    ],
)  # fmt: skip
def test_so_far_is_said_only_while_the_period_runs_and_later_it_is_named(now: str, when: str) -> None:
    assert said(hourly(), now) == f"27 {when}, limit 20"
    assert said(hourly(), now, "reopened") == f"27 {when}, limit 20"
    assert said(hourly(), now, "reminded") == f"27 {when}, limit 20"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": 0, "count": 0, "condition": "lt", "threshold": 10}, f"no logs {HOUR_OF_14}, expected at least 10"),
        ({"value": None, "count": 0, "aggregate": "max"}, f"no logs {HOUR_OF_14}, but some were expected"),
        ({"value": 160, "previous_value": 100, "change_percent": 60, "threshold": 50, "compare": "previous_7d"},
         f"160 {HOUR_OF_14}, 60 % more than 7 days before (100), limit +50 %"),
        ({"value": 0, "count": 0, "previous_value": 8, "change_percent": -100, "condition": "lt", "threshold": -50, "compare": "previous_window"},
         f"no logs {HOUR_OF_14}, 100 % less than the hour before (8), limit -50 %"),
        ({"aggregate": "p95_est", "event": "run_ms"}, f"p95 27 ms {HOUR_OF_14}, limit 20 ms"),
        ({"window": "rolling", "window_minutes": 60, "early": False}, f"27 {HOUR_OF_14}, limit 20"),
        ({"window": "rolling", "window_minutes": 120, "early": False, "last_start": at("23:00") - DAY, "last_end": at("01:00")},
         f"27 on 2 Mar, 23:00 {DASH} 3 Mar, 01:00 UTC, limit 20"),
    ],
)  # fmt: skip
def test_every_sentence_names_a_period_that_is_long_over(given: dict[str, Any], words: str) -> None:
    assert said(hourly(**given), "16:23") == words


def test_a_minute_is_this_minute_no_longer_than_its_judgement_takes() -> None:
    assert said(alert(), "14:05") == "25 this minute, limit 20"
    assert said(alert(), "14:06") == f"25 on 3 Mar, 14:03{DASH}14:04 UTC, limit 20"


def test_a_day_is_named_by_the_date_of_its_own_timezone() -> None:
    start = parse_instant("2026-03-03T18:30:00Z")
    day = alert(period="day", period_start=start, last_start=start, last_end=start + DAY, zone="Asia/Kolkata", early=True)
    assert said(day, "2026-03-03T18:32:00Z") == "25 so far today, limit 20"
    assert said(day, "2026-03-04T18:31:00Z") == "25 this day, limit 20"
    assert said(day, "2026-03-04T20:00:00Z") == "25 on 4 Mar (Asia/Kolkata), limit 20"
    assert dict(notice([transition(day)]).facts)["Period"] == "4 Mar 2026 (Asia/Kolkata)"
    berlin = span(parse_instant("2026-03-28T23:00:00Z"), parse_instant("2026-03-29T22:00:00Z"), "Europe/Berlin")
    assert berlin == "29 Mar 2026 (Europe/Berlin)"
    utc = alert(period="day", opened="00:00", last_end=at("00:00") + DAY)
    assert said(utc, "2026-03-04T09:00:00Z") == "25 on 3 Mar (UTC), limit 20"


def test_an_ending_that_is_told_late_says_when_it_was() -> None:
    ended = transition(hourly(), "resolved", 2, clock="15:01", by="recovered")
    assert notice([ended], now=at("15:02")).sentence == "recovered after 1 h 1 min"
    late = notice([ended], now=parse_instant("2026-03-04T08:00:00Z"))
    assert late.sentence == "recovered after 1 h 1 min (3 Mar, 15:01 UTC)"
    assert dict(late.facts)["Last in alarm"] == f"27 {HOUR_OF_14}, limit 20"
    both = notice([transition(hourly()), ended], now=at("16:30"))
    assert both.sentence == f"27 {HOUR_OF_14}, limit 20; recovered after 1 h 1 min (3 Mar, 15:01 UTC)"


def test_a_late_burst_that_is_told_as_over_names_its_hour() -> None:
    late = hourly(early=False, triggered_at=at("18:12"))
    found = notice([transition(late, clock="18:12"), transition(late, "resolved", 2, clock="18:12")])
    assert found.sentence == f"27 {HOUR_OF_14}, limit 20; recovered after 1 h"


def test_a_trend_that_ends_long_ago_does_not_call_its_windows_the_last() -> None:
    found = [notice([transition(hourly())], Background(trend=(None, hourly().value)), now=now).trend for now in (at("15:01"), at("17:00"))]
    assert found == ["·█ last 2 hours", "·█ 2 hours up to then"]


def test_what_is_told_late_has_the_words_and_values_that_the_open_alert_has_by_now() -> None:
    opened = transition(hourly(title="Retries"))
    later = replace(
        hourly(title="Retries, renamed", severity="critical", runbook_url="https://run.example/new", description="what to do", value=300, worst_value=300),
        last_start=at("15:00"), last_end=at("16:00"), periods=2,
    )  # fmt: skip
    found = notice([opened], now=at("15:42"), latest=later)
    assert (found.heading, found.sentence) == ("🔴 Critical: Retries, renamed", "300 so far this hour, limit 20")
    assert (found.runbook_url, found.description) == ("https://run.example/new", "what to do")
    assert dict(found.facts)["In alarm"] == "2 hours"
    (told,) = webhook.render([found])[0].payload["transitions"]
    assert [told["alert"][name] for name in ("title", "severity", "value")] == ["Retries, renamed", "critical", 27], "a transition is what it was"


def test_an_ending_keeps_its_values_whatever_the_alert_has_by_now() -> None:
    ended = transition(hourly(), "resolved", 2, clock="15:01", by="corrected")
    found = notice([ended], now=at("15:42"), latest=hourly(title="renamed", value=300))
    assert (found.heading, found.sentence) == ("⚪ Closed: renamed", "closed: later logs corrected the values (3 Mar, 15:01 UTC)")
    over = replace(ended.alert, title="renamed", value=hourly(value=300).value)
    assert "27" in notice([transition(hourly())], now=at("15:42"), latest=over).sentence, "what is over is not told as if it went on"


@pytest.mark.parametrize("type", ["opened", "reminded"])
def test_what_is_healthy_and_kept_open_says_that_it_waits_to_be_resolved(type: Any) -> None:
    healed = hourly(healed=at("15:00"))
    found = notice([transition(healed, type, 2, clock="16:03")])
    assert found.heading == "⚪ Healthy, still open: job.run: count above 20"
    assert found.sentence == f"healthy again, and waits to be resolved; last in alarm: 27 {HOUR_OF_14}, limit 20"
    assert notice([transition(healed, "resolved", 3, clock="16:05", by="person")]).label == "Resolved"

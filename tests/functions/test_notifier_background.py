"""What a message shows around an alert: the same window a day before, and a trend, from the rollups."""

from typing import Any

import pytest
from nightjar.core.events import Event
from nightjar.core.instants import DAY, HOUR, parse_instant
from nightjar.core.periods import period_at
from nightjar.core.wording import Background
from nightjar.pipeline.background import background
from nightjar.storage import events, rollups
from nightjar.storage.rollups import Row

from tests.builders import at, bucket
from tests.desk import Desk, alert, slack, texts, transition

NOON = at("12:00")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.now = at("13:00")
    return made


def put(desk: Desk, counts: dict[int, int], letter: Any = "h") -> None:
    for start, count in counts.items():
        assert rollups.write_row(desk.store, "e1", (letter, start), Row(bucket([2] * count)))


def hourly(**given: Any) -> Any:
    return alert(**{"period": "hour", "opened": "12:00", "last_end": NOON + HOUR, **given})


def numbers(found: Background | None) -> tuple[float | None, list[float | None]]:
    assert found is not None
    day = None if found.day_before is None else float(found.day_before)
    return day, [None if value is None else float(value) for value in found.trend]


def test_an_hour_is_shown_with_the_eleven_before_and_the_same_hour_of_yesterday(desk: Desk) -> None:
    put(desk, {NOON: 25, NOON - HOUR: 4, NOON - 11 * HOUR: 1, NOON - 12 * HOUR: 99, NOON - DAY: 7})
    assert numbers(background(desk.store, hourly(), desk.now)) == (7, [1, *[0] * 9, 4, 25])


def test_what_was_not_measured_is_none_but_for_a_count(desk: Desk) -> None:
    put(desk, {NOON: 25, NOON - HOUR: 4})
    assert numbers(background(desk.store, hourly(aggregate="max"), desk.now)) == (None, [*[None] * 10, 2, 2])
    assert numbers(background(desk.store, hourly(aggregate="count"), desk.now))[0] == 0


def test_a_first_hour_has_no_trend(desk: Desk) -> None:
    put(desk, {NOON: 25})
    assert numbers(background(desk.store, hourly(), desk.now)) == (0, [])


def test_a_minute_is_compared_with_minutes(desk: Desk) -> None:
    put(desk, {at("12:03"): 25, at("12:02"): 3, at("12:03") - DAY: 5}, "m")
    day, trend = numbers(background(desk.store, alert(opened="12:03"), desk.now))
    assert (day, trend[-2:], len(trend)) == (5, [3, 25], 12)


def test_a_day_is_made_of_hours_and_shown_for_as_many_days_as_200_buckets_hold(desk: Desk) -> None:
    midnight = at("00:00")
    put(desk, {midnight + HOUR: 3, midnight - HOUR: 2, midnight - 2 * HOUR: 2})
    day, trend = numbers(background(desk.store, hourly(period="day", opened="00:00", last_end=midnight + DAY), desk.now))
    assert (day, trend[-2:], len(trend)) == (4, [4, 3], 9)


def test_days_are_those_of_the_events_own_calendar_also_where_clocks_change(desk: Desk) -> None:
    zones = ((0, "Europe/Berlin"),)
    events.create(desk.store, Event(event_id="e1", agent="worker.billing", event="job.run", zones=zones))
    monday = period_at("day", parse_instant("2026-03-30T12:00:00Z"), zones)  # the day after the clocks went forward
    sunday = period_at("day", monday.start - 1, zones)
    assert sunday.end - sunday.start == 23 * HOUR
    put(desk, {monday.start: 9, sunday.start: 5, sunday.start - HOUR: 2})
    of = hourly(period="day", period_start=monday.start, last_start=monday.start, last_end=monday.end)
    day, trend = numbers(background(desk.store, of, desk.now))
    assert (day, trend[-3:]) == (5, [2, 5, 9])


def test_a_rolling_window_is_moved_by_its_length_as_often_as_200_buckets_hold(desk: Desk) -> None:
    put(desk, {at("12:10"): 4, at("11:10"): 3, at("12:10") - DAY: 8}, "m")
    rolling = alert(window="rolling", window_minutes=60, period="hour", opened="11:30", last_end=at("12:30"))
    assert numbers(background(desk.store, rolling, desk.now)) == (8, [0, 0, 3, 4])


def test_the_message_of_one_alert_shows_both(desk: Desk) -> None:
    put(desk, {NOON: 25, NOON - HOUR: 5, NOON - DAY: 7})
    desk.add(slack())
    desk.route(transition(hourly(), clock="12:30"))
    desk.deliver_all()
    words = texts(desk.receivers.bodies()[0]["blocks"])
    assert "A day before\n7" in words
    assert "▁▁▁▁▁▁▁▁▁▁▂█ last 12 hours" in words


def test_a_webhook_and_a_digest_go_without(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> Any:
        raise AssertionError("read for nothing")

    monkeypatch.setattr(rollups, "read", read)
    desk.add(slack("d1"), slack("d2", channel="webhook", url="https://h.example/x", scope="policies", policy_ids=("p1",)))
    desk.route(transition(hourly()), transition(alert("p2")))
    desk.deliver_all()
    assert [each.error_message for each in desk.attempts(hourly())] == [None, None]

"""Which periods a tick or a changed bucket calls for."""

import pytest
from nightjar.core.due import Skipped, delay, group_of, is_due, periods_due, periods_touched, skipped
from nightjar.core.instants import HOUR, MINUTE
from nightjar.core.periods import MIN, Kind, Period, judgeable, periods_ending

from tests.builders import at, hour, minute, policy

NEW_YORK = ((MIN, "America/New_York"),)


@pytest.mark.parametrize(
    ("given", "group"),
    [
        ({"period": "minute"}, "minute#1"), ({"period": "hour", "delay_seconds": 0}, "hour#0"), ({"period": "hour", "delay_seconds": 61}, "hour#2"),
        ({"period": "day", "zones": NEW_YORK}, "day#1#America/New_York"), ({"period": "day", "zones": (*NEW_YORK, (5, "UTC"))}, "day#1#*"),
        ({"window": "rolling"}, "rolling#1"), ({"window": "rolling", "window_minutes": 180}, "rollhour#1"),
        ({"window": "rolling", "period": "day"}, "rollhour#1"),
    ],
)  # fmt: skip
def test_policies_whose_periods_end_at_the_same_ticks_share_a_group(given: dict[str, object], group: str) -> None:
    assert group_of(policy(**given)) == group


@pytest.mark.parametrize(
    ("group", "previous", "tick", "due"),
    [
        ("minute#1", "14:00", "14:01", True), ("hour#1", "15:00", "15:01", True), ("hour#1", "14:59", "15:00", False), ("hour#1", "15:01", "15:02", False),
        ("hour#5", "15:04", "15:05", True), ("hour#1", "13:30", "15:01", True), ("hour#1", None, "14:30", True), ("rollhour#1", "15:00", "15:01", True),
        ("day#1#UTC", "12:00", "12:01", False), ("day#1#*", "12:00", "12:01", True), ("day#1#America/New_York", "05:00", "05:01", True),
        ("day#1#America/New_York", "00:00", "00:01", False),
    ],
)  # fmt: skip
def test_a_tick_reads_only_groups_with_a_period_that_became_due(group: str, previous: str | None, tick: str, due: bool) -> None:
    assert is_due(group, at(previous) if previous else None, at(tick)) is due


def test_a_period_is_due_at_its_end_plus_the_delay() -> None:
    watched = policy(period="hour", delay_seconds=60)
    assert periods_due(watched, at("14:59"), at("15:00")) == []
    assert periods_due(watched, at("15:00"), at("15:01")) == [hour("14:00")]
    assert periods_due(watched, at("15:01"), at("15:02")) == []


def test_missed_ticks_are_caught_up_oldest_first_inside_the_horizon() -> None:
    watched = policy(period="minute")
    assert periods_due(watched, at("14:01"), at("14:04")) == [minute("14:00"), minute("14:01"), minute("14:02")]
    caught_up = periods_due(watched, at("10:00"), at("14:00"))
    assert (caught_up[0], len(caught_up)) == (minute("13:00"), 59)
    assert skipped(watched, at("10:00"), at("14:00")) == Skipped(at("09:59"), at("13:00"), 181)
    assert skipped(watched, at("13:59"), at("14:00")) is None
    for kind, oldest in (("hour", "2026-03-02T14:00:00Z"), ("day", "2026-03-01T00:00:00Z")):
        assert periods_due(policy(period=kind), at("2026-02-20T00:00:00Z"), at("14:01"))[0].start == at(oldest)


def test_the_first_tick_ever_judges_the_last_ended_period() -> None:
    assert periods_due(policy(period="hour"), None, at("14:30")) == [hour("13:00")]


def test_a_delay_as_long_as_the_horizon_still_judges_every_period() -> None:
    watched = policy(period="minute", delay_seconds=3600)
    assert periods_due(watched, at("15:00"), at("15:01")) == [minute("14:00")]


def test_a_rolling_window_is_judged_at_each_tick_and_a_wide_one_at_full_hours() -> None:
    narrow = policy(window="rolling", window_minutes=30)
    assert periods_due(narrow, at("14:00"), at("14:04")) == [Period(at("13:33"), at("14:03"))]
    wide = policy(window="rolling", window_minutes=180)
    assert periods_due(wide, at("14:30"), at("14:31")) == []
    assert periods_due(wide, at("15:00"), at("15:01")) == [Period(at("12:00"), at("15:00"))]


def test_data_calls_for_its_own_periods_unless_they_are_too_old_or_too_far_ahead() -> None:
    changed = [("h", at("14:00")), ("m", at("14:03"))]
    assert periods_touched(policy(period="hour"), changed, at("14:05")) == [hour("14:00")]
    assert periods_touched(policy(period="minute"), changed, at("14:05")) == [minute("14:03")]
    assert periods_touched(policy(period="minute"), changed, at("15:04")) == []
    assert periods_touched(policy(period="hour"), changed, at("13:54")) == []
    assert periods_touched(policy(period="hour"), changed, at("13:55")) == [hour("14:00")]
    assert periods_touched(policy(window="rolling"), changed, at("14:05")) == []
    days = policy(period="day")
    late = [[("h", at(f"2026-03-{instant}:00Z"))] for instant in ("02T14:00", "02T13:00", "01T12:00")] + [[("h", at("2026-02-28T23:00:00Z"))]]
    assert [len(periods_touched(policy(), changed, at("14:01"))) for changed in late[:2]] == [1, 0]
    assert [len(periods_touched(days, changed, at("14:01"))) for changed in late[2:]] == [1, 0]


def test_with_m_of_n_data_calls_for_the_later_periods_that_have_it_as_a_slot() -> None:
    watched = policy(period="minute", evaluation_periods=3, datapoints_to_alarm=2)
    assert periods_touched(watched, [("m", at("14:03"))], at("14:30")) == [minute("14:03"), minute("14:04"), minute("14:05")]
    assert periods_touched(watched, [("m", at("14:03"))], at("13:59")) == [minute("14:03"), minute("14:04")]  # at most five minutes ahead


def test_data_too_old_to_be_judged_calls_for_no_period_that_has_its_own_as_a_slot() -> None:
    watched = policy(period="minute", evaluation_periods=3)
    assert periods_touched(watched, [("m", at("13:05"))], at("14:06")) == []
    assert periods_touched(watched, [("m", at("13:06"))], at("14:06")) == [minute("13:06"), minute("13:07"), minute("13:08")]


def test_a_day_is_touched_by_the_minutes_at_the_edges_of_a_zone_off_the_hour() -> None:
    kolkata = policy(period="day", zones=((MIN, "Asia/Kolkata"),))
    edge = at("2026-03-03T18:30:00Z")
    touched = periods_touched(kolkata, [("m", edge), ("h", edge - 30 * MINUTE)], edge + HOUR)
    assert [period.start for period in touched] == [edge - 24 * HOUR, edge]


def test_only_a_period_that_is_never_judged_counts_as_skipped() -> None:
    slow = policy(period="minute", delay_seconds=3600)
    assert skipped(slow, at("15:00"), at("15:01")) is None
    assert skipped(slow, at("14:59"), at("15:01")) == Skipped(at("13:59"), at("14:00"), 1)
    assert skipped(policy(period="hour"), at("14:31"), at("2026-03-04T14:59:00Z")) is None
    assert skipped(policy(period="hour"), at("14:31"), at("2026-03-04T15:01:00Z")) == Skipped(at("14:00"), at("15:00"), 1)


@pytest.mark.parametrize("tick", ["16:00", "16:01", "2026-03-07T05:00:00Z"])
@pytest.mark.parametrize("kind", ["minute", "hour", "day"])
def test_every_period_after_a_tick_is_either_judged_by_the_next_or_skipped(kind: Kind, tick: str) -> None:
    watched = policy(period=kind, zones=((MIN, "Asia/Kolkata"), (at("2026-03-05T05:00:00Z"), "America/New_York")))
    previous = at("14:03")
    found = skipped(watched, previous, at(tick))
    ended = periods_ending(kind, previous - delay(watched), at(tick) - delay(watched), watched.zones)
    left = ended[: len(ended) - len(periods_due(watched, previous, at(tick)))]
    whole = [period for period in left if judgeable(kind, period)]
    assert found == (Skipped(left[0].start, left[-1].end, len(whole)) if whole else None)


def test_what_lies_before_active_from_is_not_skipped() -> None:
    made_late = policy(period="minute", active_from=at("15:30:20"))
    assert skipped(made_late, at("14:00"), at("16:30")) is None
    assert skipped(made_late, at("14:00"), at("16:32")) == Skipped(at("15:30"), at("15:32"), 2)

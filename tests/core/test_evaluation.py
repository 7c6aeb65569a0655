"""One step of the engine after the other: how an alert opens, goes on, recovers, is corrected and comes back."""

from dataclasses import replace

import pytest
from nightjar.core.actions import act_on_open
from nightjar.core.alerts import Alert
from nightjar.core.evaluation import judge_period
from nightjar.core.evidence import Evidence
from nightjar.core.instants import MINUTE
from nightjar.core.periods import Bin, Period
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.state import Decision, State, span_containing

from tests.builders import at, bucket, hour, hours, minute, minutes, policy, state

Buckets = dict[Bin, Bucket]


class Engine:
    """Judges one policy step by step, keeping its state and its alerts as storage would."""

    def __init__(self, watched: Policy) -> None:
        self.policy = watched
        self.state: State = state(watched)
        self.alerts: dict[str, Alert] = {}
        self.told: list[str] = []

    def judge(self, period: Period, buckets: Buckets, tick: str, *, by_data: bool = False, now: str | None = None) -> Decision:
        span = span_containing(self.state, period.start)
        ended = self.alerts[span.alert_id] if span else None
        evidence = Evidence(self.policy, at(tick), buckets, at("00:00"), period if by_data else None)
        decision = judge_period(self.state, period, evidence, ended=ended, now=at(now or tick))
        if decision.state is not None:
            self.state = replace(decision.state, version=self.state.version + 1)
            self.alerts.update({alert.alert_id: alert for alert in decision.alerts})
        self.told += [f"{each.type} {each.alert.resolved_by or ''}".strip() for each in decision.transitions]
        return decision

    @property
    def open(self) -> Alert:
        assert self.state.open is not None
        return self.state.open


def test_the_close_of_a_breaching_hour_opens_an_alert_dated_at_the_tick() -> None:
    engine = Engine(policy())
    decision = engine.judge(hour("14:00"), hours({"14:00": 21}), "15:01")
    assert (decision.reason, decision.look) == ("opened", False)
    assert (engine.open.value, engine.open.count, engine.open.periods, engine.open.triggered_at) == (21, 21, 1, at("15:01"))


def test_a_burst_opens_early_dated_at_its_newest_log_but_never_after_wall_time() -> None:
    engine = Engine(policy())
    buckets = hours({"14:00": 21}, clock="14:03")
    buckets["h", at("14:00")].newest = at("14:03:20")
    engine.judge(hour("14:00"), buckets, "14:03", by_data=True, now="14:03:19")
    assert (engine.open.early, engine.open.triggered_at) == (True, at("14:03:19"))


def test_a_healthy_hour_without_an_alert_writes_nothing() -> None:
    decision = Engine(policy()).judge(hour("14:00"), hours({"14:00": 3}), "15:01")
    assert (decision.reason, decision.changed) == ("healthy", False)


def test_a_stall_asks_for_a_look_at_the_raw_logs() -> None:
    assert Engine(policy(condition="lt", threshold=10)).judge(hour("14:00"), {}, "15:01").look


def test_further_periods_in_alarm_update_the_alert_without_a_message() -> None:
    engine = Engine(policy())
    buckets = hours({"14:00": 30, "15:00": 25})
    engine.judge(hour("14:00"), buckets, "15:01")
    decision = engine.judge(hour("15:00"), buckets, "16:01")
    assert (decision.reason, decision.transitions) == ("still_in_alarm", ())
    assert (engine.open.value, engine.open.worst_value, engine.open.periods) == (25, 30, 2)


def test_the_same_period_judged_again_changes_nothing() -> None:
    engine = Engine(policy())
    buckets = hours({"14:00": 30})
    engine.judge(hour("14:00"), buckets, "15:01")
    assert engine.judge(hour("14:00"), buckets, "15:01").reason == "unchanged"


def test_values_of_a_running_period_are_written_once_a_minute() -> None:
    engine = Engine(policy())
    engine.judge(hour("14:00"), hours({"14:00": 21}), "14:03", by_data=True)
    assert engine.judge(hour("14:00"), hours({"14:00": 22}), "14:03", by_data=True).reason == "written_this_minute"
    assert engine.judge(hour("14:00"), hours({"14:00": 23}), "14:04", by_data=True).reason == "still_in_alarm"
    assert engine.open.value == 23


def test_a_healthy_period_ends_the_alert_as_recovered() -> None:
    engine = Engine(policy())
    buckets = hours({"14:00": 30, "15:00": 3})
    engine.judge(hour("14:00"), buckets, "15:01")
    engine.judge(hour("15:00"), buckets, "16:01")
    assert engine.told == ["opened", "resolved recovered"]
    assert engine.state.open is None


def test_a_period_that_says_nothing_neither_continues_nor_ends_an_alert() -> None:
    engine = Engine(policy(missing="ignore"))
    engine.judge(hour("14:00"), hours({"14:00": 30}), "15:01")
    assert engine.judge(hour("15:00"), {}, "16:01").reason == "still_open"


def test_two_healthy_periods_in_a_row_with_silence_between_are_needed_if_the_policy_says_so() -> None:
    engine = Engine(policy(missing="ignore", recovery_periods=2))
    buckets = hours({"10:00": 30, "11:00": 3, "13:00": 3})
    for start, tick in (("10:00", "11:01"), ("11:00", "12:01"), ("12:00", "13:01")):
        engine.judge(hour(start), buckets, tick)
        assert engine.state.open
    engine.judge(hour("13:00"), buckets, "14:01")
    assert engine.told == ["opened", "resolved recovered"]


def test_a_recovery_counts_healthy_periods_that_as_long_a_silence_separates_as_an_alert_outlives() -> None:
    engine = Engine(policy(period="minute", missing="ignore", recovery_periods=2))
    day = {("m", at("00:00") + after * MINUTE): bucket([1] * count) for after, count in ((0, 30), (1, 3), (24 * 60, 3))}
    for after in (0, 1):
        engine.judge(Period(at("00:00") + after * MINUTE, at("00:00") + (after + 1) * MINUTE), day, "00:03")
    assert engine.told == ["opened"]
    engine.judge(Period(at("2026-03-04T00:00:00Z"), at("2026-03-04T00:01:00Z")), day, "2026-03-04T00:02:00Z")
    assert engine.told == ["opened", "resolved recovered"]


def test_only_a_period_that_breaches_itself_opens_an_alert_of_m_of_n() -> None:
    engine = Engine(policy(evaluation_periods=3, datapoints_to_alarm=1))
    buckets = hours({"12:00": 30, "13:00": 3})
    assert engine.judge(hour("13:00"), buckets, "14:01").reason == "healthy"
    engine.judge(hour("12:00"), buckets, "14:01")
    assert [alert.period_start for alert in engine.alerts.values()] == [at("12:00")]


def test_a_late_burst_is_told_once_as_over_when_later_periods_were_healthy() -> None:
    engine = Engine(policy(period="minute"))
    engine.judge(minute("14:10"), minutes({"14:10": 25}), "14:30", by_data=True)
    assert engine.told == ["opened", "resolved recovered"]
    assert engine.state.open is None


def test_a_late_breach_inside_an_ended_alert_changes_its_values_only() -> None:
    engine = Engine(policy(condition="lt", threshold=10))
    engine.judge(hour("14:00"), {}, "15:01")
    buckets = hours({"15:00": 4, "16:00": 10}, clock="16:00")
    engine.judge(hour("16:00"), buckets, "16:00", by_data=True)
    assert engine.judge(hour("15:00"), buckets, "16:01").reason == "inside_an_ended_alert"
    (alert,) = engine.alerts.values()
    assert (alert.status, alert.value, alert.periods) == ("resolved", 4, 2)
    assert engine.told == ["opened", "resolved recovered"]


def test_an_open_alert_left_without_a_breaching_period_is_corrected_and_may_come_back() -> None:
    engine = Engine(policy(aggregate="sum"))
    burst = {("h", at("14:00")): hours({"14:00": 25})["h", at("14:00")]}
    engine.judge(hour("14:00"), burst, "14:30", by_data=True)
    engine.judge(hour("14:00"), hours({"14:00": 19}), "15:01")
    assert engine.told == ["opened", "resolved corrected"]
    engine.judge(hour("14:00"), hours({"14:00": 22}), "15:02", by_data=True)
    assert engine.told == ["opened", "resolved corrected", "reopened"]
    assert (engine.open.periods, engine.open.resolved_by, len(engine.alerts)) == (1, None, 1)


def test_a_correction_of_the_latest_period_shows_the_one_before() -> None:
    engine = Engine(policy())
    buckets = hours({"14:00": 30, "15:00": 25})
    engine.judge(hour("14:00"), buckets, "15:01")
    engine.judge(hour("15:00"), buckets, "16:01")
    engine.judge(hour("15:00"), hours({"14:00": 30, "15:00": 20}), "16:02", by_data=True)
    assert engine.told == ["opened", "resolved recovered"]
    (alert,) = engine.alerts.values()
    assert (alert.value, alert.periods, alert.last_start) == (30, 1, at("14:00"))


def test_a_late_period_before_an_open_alert_joins_it_if_no_recovery_lies_between() -> None:
    engine = Engine(policy(missing="ignore"))
    engine.judge(hour("14:00"), hours({"14:00": 30}), "15:01")
    engine.judge(hour("12:00"), hours({"12:00": 40, "14:00": 30}), "15:02", by_data=True)
    assert engine.told == ["opened"]
    assert (engine.open.period_start, engine.open.periods, engine.open.value, engine.open.worst_value) == (at("12:00"), 2, 30, 40)


def test_a_late_period_before_an_open_alert_is_an_alert_of_its_own_if_a_recovery_lies_between() -> None:
    engine = Engine(policy())
    engine.judge(hour("14:00"), hours({"14:00": 30}), "15:01")
    engine.judge(hour("12:00"), hours({"12:00": 40, "14:00": 30}), "15:02", by_data=True)
    assert engine.told == ["opened", "opened", "resolved recovered"]
    assert (engine.open.period_start, len(engine.alerts)) == (at("14:00"), 2)


def test_a_late_period_of_an_alert_that_a_person_resolved_does_not_join_the_next_one() -> None:
    engine = Engine(policy())
    buckets = hours({"12:00": 30, "13:00": 30, "14:00": 30})
    engine.judge(hour("12:00"), buckets, "13:01")
    engine.judge(hour("13:00"), buckets, "14:01")
    resolved = act_on_open(engine.state, "resolve", clock=at("14:02"), now=at("14:02"))
    assert resolved.state is not None
    engine.state = resolved.state
    engine.alerts.update({alert.alert_id: alert for alert in resolved.alerts})
    engine.judge(hour("14:00"), buckets, "15:01")
    more = {**buckets, **hours({"13:00": 35})}
    assert engine.judge(hour("13:00"), more, "15:02", by_data=True).reason == "inside_an_ended_alert"
    assert (engine.open.period_start, engine.told) == (at("14:00"), ["opened", "opened"])


def test_two_of_three_opens_with_the_period_that_fills_them() -> None:
    engine = Engine(policy(period="minute", evaluation_periods=3, datapoints_to_alarm=2, missing="ignore"))
    buckets = minutes({"14:00": 30, "14:02": 30, "14:04": 3})
    assert engine.judge(minute("14:00"), buckets, "14:02").reason == "not_yet_in_alarm"
    engine.judge(minute("14:02"), buckets, "14:04")
    assert engine.open.period_start == at("14:02")
    assert engine.judge(minute("14:03"), buckets, "14:05").reason == "still_open"
    engine.judge(minute("14:04"), buckets, "14:06")
    assert engine.told == ["opened", "resolved recovered"]


def test_without_auto_resolve_a_healthy_policy_keeps_its_alert_and_reopens_it() -> None:
    engine = Engine(policy(auto_resolve=False))
    buckets = hours({"10:00": 30, "11:00": 3, "12:00": 30})
    engine.judge(hour("10:00"), buckets, "11:01")
    assert engine.judge(hour("11:00"), buckets, "12:01").reason == "healthy_but_kept_open"
    engine.judge(hour("12:00"), buckets, "13:01")
    assert engine.told == ["opened", "reopened"]
    assert (engine.open.status, engine.open.healed) == ("triggered", None)


def test_logs_that_came_two_hours_ahead_of_the_clock_are_not_looked_at_before_their_hour_closes() -> None:
    engine = Engine(policy(condition="lt", threshold=10))
    ahead = hours({"16:00": 30}, clock="14:05")
    engine.judge(hour("14:00"), ahead, "15:01")
    engine.judge(hour("15:00"), ahead, "16:01")
    assert engine.told == ["opened"]
    engine.judge(hour("16:00"), ahead, "17:01")
    assert engine.told == ["opened", "resolved recovered"]


def test_a_policy_of_an_older_revision_writes_nothing_any_more() -> None:
    engine = Engine(policy())
    engine.state = replace(engine.state, revision=2)
    assert engine.judge(hour("14:00"), hours({"14:00": 30}), "15:01").reason == "stale_policy"


@pytest.mark.parametrize("healthy", [0, 3])
def test_a_quieted_rolling_policy_opens_again_only_after_it_was_healthy(healthy: int) -> None:
    engine = Engine(policy(window="rolling", window_minutes=5, missing="ignore"))
    engine.state = replace(engine.state, quiet=True)
    window = Period(at("13:55"), at("14:00"))
    assert engine.judge(window, minutes({"13:58": 30}), "14:01").reason == "quiet_until_healthy"
    following = Period(at("14:00"), at("14:05"))
    engine.judge(following, minutes({"14:02": healthy}) if healthy else {}, "14:06")
    assert engine.state.quiet is (healthy == 0)


@pytest.mark.parametrize(("between", "reason"), [(3, "recovered"), (30, "still_open")])
def test_healthy_rolling_windows_in_a_row_are_counted_by_what_was_logged_in_them_those_of_missed_ticks_too(between: int, reason: str) -> None:
    engine = Engine(policy(window="rolling", window_minutes=2, recovery_periods=3))
    logged = minutes({"13:59": 30, "14:01": between})
    engine.judge(Period(at("13:58"), at("14:00")), logged, "14:01")
    after_missed_ticks = Period(at("14:03"), at("14:05"))
    assert engine.judge(after_missed_ticks, logged, "14:06").reason == reason


def test_healthy_windows_of_a_rolling_day_policy_count_however_long_its_silence_may_last() -> None:
    watched = policy(period="day", window="rolling", window_minutes=60, missing="ignore", recovery_periods=100)
    engine, midnight, later = Engine(watched), at("00:00"), 31 * 60
    logged = {("m", midnight + after * MINUTE): bucket([1] * count) for after, count in ((70, 30), (131, 3), (later, 3))}
    window = lambda ends: Period(midnight + (ends - 60) * MINUTE, midnight + ends * MINUTE)
    engine.judge(window(71), logged, "01:12")
    evidence = Evidence(watched, midnight + (later + 61) * MINUTE, logged, midnight)
    assert judge_period(engine.state, window(later + 60), evidence, now=0).reason == "recovered"


@pytest.mark.parametrize(
    ("given", "counts", "worst"),
    [
        ({"condition": "gt"}, (30, 45, 25), 45),
        ({"condition": "lt", "threshold": 10}, (5, 2, 7), 2),
        ({"condition": "ne", "threshold": 10}, (8, 3, 12), 3),
        ({"condition": "ne", "threshold": 10}, (8, 19, 3), 19),
        ({"condition": "gt", "threshold": 50, "compare": "previous_window"}, (10, 40, 70), 40),
        ({"condition": "gt", "threshold": 50, "compare": "previous_window", "min_count": 1}, (0, 5, 80), 5),
        ({"condition": "ne", "threshold": 50, "compare": "previous_window"}, (10, 2, 4), 2),
    ],
)
def test_the_worst_value_lies_farthest_beyond_the_threshold_and_of_changes_it_is_the_greatest_change(
    given: dict[str, object], counts: tuple[int, int, int], worst: int
) -> None:
    engine = Engine(policy(**given))
    starts = ("13:00", "14:00", "15:00")
    buckets = {**hours({"12:00": 10}), **hours({start: count for start, count in zip(starts, counts, strict=True) if count})}
    for start, due in zip(starts, ("14:01", "15:01", "16:01"), strict=True):
        engine.judge(hour(start), buckets, due)
    assert engine.open.worst_value == worst

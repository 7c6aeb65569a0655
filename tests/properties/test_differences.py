"""What random histories found to differ between handlers and reference, shrunk: each must be alike, and as ENGINE.md says."""

from typing import Any

from nightjar.core.instants import iso

from tests.cases.script import load_script
from tests.properties.test_engine import compare


def told(**given: Any) -> list[str]:
    """Play a history, as cases.json writes one, to handlers and reference; return the transitions that both made."""
    policies = [{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **policy} for policy in given.pop("policies")]
    script = load_script({"id": "found", "kind": "engine", "given": {**given, "policies": policies}, "expect": {}})
    engine = compare(script)
    return [f"{iso(one.at)} {one.resolved_by or one.kind} {iso(one.alert.first.start)}" for one in engine.transitions]


def test_an_event_made_with_a_timezone_has_had_it_always() -> None:
    found = told(
        events=[{"event": "job.run", "timezone": "Asia/Kathmandu"}],
        policies=[{"period": "day", "aggregate": "max", "condition": "lte", "threshold": 5}],
        logs=[{"t": "2026-03-05T08:50:00Z", "v": 0, "recv": "2026-03-07T07:50:00Z"}],
        ticks=["2026-03-07T02:30:00Z"],
    )
    assert found == ["2026-03-07T07:50:00Z opened 2026-03-04T18:15:00Z"]


def test_what_a_period_without_logs_means_is_settled_when_the_policy_is_made() -> None:
    found = told(
        policies=[{"period": "minute", "aggregate": "sum", "condition": "gte", "threshold": 0, "active_from": "2026-03-03T13:30:00Z"}],
        actions=[{"at": "2026-03-03T14:02:06Z", "put_policy": "p", "set": {"aggregate": "min"}}],
        ticks=["2026-03-03T14:30:00Z"],
    )
    assert found == ["2026-03-03T14:30:00Z opened 2026-03-03T14:28:00Z"]


def test_the_latest_period_drops_out_of_an_alert_whose_others_are_too_old_to_be_read() -> None:
    found = told(
        policies=[{"period": "day", "aggregate": "sum", "condition": "gte", "threshold": 0}],
        logs=[{"t": "2026-03-11T08:20:00Z", "v": -1, "recv": "2026-03-12T04:20:00Z"}],
        ticks=["2026-03-05T04:01:00Z", "2026-03-12T04:00:00Z"],
    )
    assert found == ["2026-03-05T04:01:00Z opened 2026-03-04T00:00:00Z", "2026-03-12T04:20:00Z recovered 2026-03-04T00:00:00Z"]


def test_the_values_of_the_period_before_come_back_though_it_is_too_old_to_be_read() -> None:
    found = told(
        policies=[{"period": "minute", "aggregate": "sum", "condition": "gt", "threshold": 20, "missing": "ignore", "recovery_periods": 2}],
        logs=[
            {"t": "2026-03-03T14:00:10Z", "v": [15, 15]},
            {"t": "2026-03-03T16:00:10Z", "v": 50},
            {"t": "2026-03-03T16:00:40Z", "v": -45},
        ],
        ticks=["2026-03-03T14:00:00Z/2026-03-03T14:02:00Z/PT1M", "2026-03-03T16:00:00Z", "2026-03-03T16:01:00Z", "2026-03-03T16:02:00Z"],
    )
    assert found == ["2026-03-03T14:00:10Z opened 2026-03-03T14:00:00Z"]


def test_a_day_that_is_cut_after_it_opened_an_alert_early_does_not_correct_it() -> None:
    found = told(
        events=[{"event": "job.run", "timezone": "UTC"}],
        policies=[{"period": "day", "aggregate": "count", "condition": "gt", "threshold": 2}],
        logs=[{"t": "2026-03-03T10:00:00Z", "v": [1, 1, 1]}],
        actions=[{"at": "2026-03-03T12:00:00Z", "put_event": "job.run", "set": {"timezone": "Asia/Tokyo"}}],
        ticks=["2026-03-03T09:59:00Z", "2026-03-03T15:01:00Z", "2026-03-04T00:01:00Z", "2026-03-04T15:01:00Z"],
    )
    assert found == ["2026-03-03T10:00:00Z opened 2026-03-03T00:00:00Z", "2026-03-04T15:01:00Z recovered 2026-03-03T00:00:00Z"]


def test_reminders_that_are_asked_for_while_an_alert_is_open_come_on_its_grid() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "lt", "threshold": 4}],
        actions=[{"at": "2026-03-03T14:03:00Z", "put_policy": "p", "set": {"renotify_minutes": 5}}],
        ticks=["2026-03-03T14:01:00Z/2026-03-03T14:07:00Z/PT1M"],
    )
    assert found == ["2026-03-03T14:01:00Z opened 2026-03-03T13:00:00Z", "2026-03-03T14:06:00Z reminded 2026-03-03T13:00:00Z"]


def test_without_auto_resolve_a_late_breach_before_the_open_alert_joins_it_over_healthy_periods() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "ne", "threshold": 0, "auto_resolve": False}],
        logs=[
            {"t": "2026-03-03T08:00:20Z", "v": 2, "recv": "2026-03-03T14:22:00Z"},
            {"t": "2026-03-03T04:00:40Z", "v": -2, "recv": "2026-03-03T14:23:00Z"},
        ],
        ticks=["2026-03-03T02:01:00Z/2026-03-03T14:01:00Z/PT1H"],
    )
    assert found == ["2026-03-03T14:22:00Z opened 2026-03-03T04:00:00Z"]


def test_reminders_that_become_rarer_go_on_upon_the_new_grid() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "lt", "threshold": 4, "renotify_minutes": 5}],
        actions=[{"at": "2026-03-03T14:13:30Z", "put_policy": "p", "set": {"renotify_minutes": 10}}],
        ticks=["2026-03-03T14:01:00Z/2026-03-03T14:22:00Z/PT1M"],
    )
    assert [line for line in found if "reminded" in line] == [f"2026-03-03T14:{minute}:00Z reminded 2026-03-03T13:00:00Z" for minute in ("06", "11", "21")]


def test_a_running_period_that_breached_early_is_in_alarm_once_the_close_of_the_one_before_makes_it_two_of_three() -> None:
    policy = {"period": "hour", "aggregate": "count", "condition": "gte", "threshold": 2, "missing": "breach", "evaluation_periods": 3}
    found = told(
        policies=[{**policy, "datapoints_to_alarm": 2, "active_from": "2026-03-03T16:00:00Z"}],
        logs=[{"t": "2026-03-03T17:00:20Z", "v": [1, 1]}],
        ticks=["2026-03-03T15:30:00Z", "2026-03-03T17:00:00Z", "2026-03-03T17:01:00Z"],
    )
    assert found == ["2026-03-03T17:01:00Z opened 2026-03-03T17:00:00Z"]


def test_what_a_period_opens_that_came_with_its_slot_in_one_batch_is_dated_by_its_own_newest_log() -> None:
    policy = {"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 0, "evaluation_periods": 2, "datapoints_to_alarm": 2}
    logs = [{"t": f"2026-03-03T{at}Z", "v": 1, "recv": "2026-03-03T15:07:00Z"} for at in ("14:00:13", "15:01:01")]
    assert told(policies=[policy], logs=logs, ticks=["2026-03-03T15:00:00Z"]) == ["2026-03-03T15:07:00Z opened 2026-03-03T15:00:00Z"]


def test_data_too_old_to_be_judged_changes_no_later_period_of_m_of_n() -> None:
    policy = {"period": "day", "aggregate": "count", "condition": "lt", "threshold": 1, "evaluation_periods": 2, "datapoints_to_alarm": 2}
    found = told(
        policies=[policy],
        logs=[{"t": "2026-03-06T12:00:00Z", "v": 1, "recv": "2026-03-09T12:00:00Z"}],
        ticks=["2026-03-04T00:01:00Z/2026-03-09T00:01:00Z/PT24H"],
    )
    assert found == ["2026-03-04T00:01:00Z opened 2026-03-03T00:00:00Z"]


def test_late_data_of_what_a_period_was_compared_with_does_not_correct_its_alert() -> None:
    compared = {"aggregate": "sum", "condition": "gt", "threshold": -50, "compare": {"previous": "previous_1d"}, "recovery_periods": 2}
    found = told(
        policies=[{"period": "hour", "evaluation_periods": 3, "datapoints_to_alarm": 1, **compared, "active_from": "2026-03-03T16:00:00Z"}],
        logs=[
            {"t": "2026-03-02T14:00:01Z", "v": -2, "recv": "2026-03-03T14:00:01Z"},
            {"t": "2026-03-02T16:20:30Z", "v": 1, "recv": "2026-03-03T17:20:31Z"},
            {"t": "2026-03-02T17:25:32Z", "v": 4, "recv": "2026-03-03T17:20:32Z"},
        ],
        ticks=["2026-03-03T14:00:00Z", "2026-03-03T17:20:00Z", "2026-03-03T17:21:00Z", "2026-03-03T18:22:00Z"],
    )
    assert found == ["2026-03-03T17:20:00Z opened 2026-03-03T16:00:00Z"]


def test_two_days_drop_out_by_one_batch_of_an_alert_whose_others_are_too_old_to_be_read() -> None:
    policy = {"period": "day", "aggregate": "sum", "condition": "gte", "threshold": 0, "compare": {"previous": "previous_window"}}
    found = told(
        events=[{"event": "job.run", "timezone": "Pacific/Fakaofo"}],
        policies=[{**policy, "evaluation_periods": 2, "datapoints_to_alarm": 1, "active_from": "2011-12-26T15:00:00Z"}],
        logs=[
            {"t": "2011-12-28T21:00:00Z", "v": 15, "recv": "2011-12-28T20:00:00Z"},
            {"t": "2011-12-31T17:10:05Z", "v": 3, "recv": "2012-01-02T19:10:05Z"},
        ],
        ticks=["2011-12-28T15:00:00Z", "2012-01-01T11:10:00Z", "2012-01-02T14:10:00Z"],
    )
    assert found == ["2012-01-01T11:10:00Z opened 2011-12-30T11:00:00Z", "2012-01-02T19:10:05Z recovered 2011-12-30T11:00:00Z"]


def test_healthy_rolling_windows_count_after_an_outage_longer_than_the_silence_that_ends_an_alert() -> None:
    policy = {"period": "hour", "aggregate": "average", "condition": "lte", "threshold": 4, "recovery_periods": 3, "window": "rolling"}
    found = told(
        policies=[{**policy, "window_minutes": 60}],
        logs=[{"t": "2026-03-03T12:50:20Z", "v": 4}, {"t": "2026-03-03T14:21:05Z", "v": 15, "recv": "2026-03-05T02:21:05Z"}],
        ticks=["2026-03-03T13:01:00Z", "2026-03-05T03:02:00Z"],
    )
    assert found == ["2026-03-03T13:01:00Z opened 2026-03-03T12:00:00Z", "2026-03-05T03:02:00Z recovered 2026-03-03T12:00:00Z"]


def test_the_worst_value_of_a_running_period_may_be_a_minute_behind_where_ticks_that_stood_still_have_left_it() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 0, "auto_resolve": False}],
        logs=[
            {"t": "2026-03-03T14:00:10Z", "v": 1},
            {"t": "2026-03-03T14:00:20Z", "v": [1, 1], "recv": "2026-03-06T14:03:00Z"},
            {"t": "2026-03-06T14:02:00Z", "v": 1, "recv": "2026-03-06T14:03:30Z"},
        ],
        ticks=["2026-03-03T14:00:00Z", "2026-03-06T14:04:00Z", "2026-03-06T15:01:00Z"],
    )
    assert found == ["2026-03-03T14:00:10Z opened 2026-03-03T14:00:00Z", "2026-03-06T15:01:00Z reopened 2026-03-03T14:00:00Z"]


def test_a_tick_after_an_outage_tells_each_return_of_an_alert_that_a_recovery_parts() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 0, "auto_resolve": False, "early": False}],
        logs=[{"t": "2026-03-03T14:00:10Z", "v": 1}, {"t": "2026-03-03T17:00:10Z", "v": 1}, {"t": "2026-03-03T19:00:10Z", "v": 1}],
        ticks=["2026-03-03T14:00:00Z", "2026-03-03T16:01:00Z", "2026-03-03T21:01:00Z"],
    )
    assert found == ["2026-03-03T16:01:00Z opened 2026-03-03T14:00:00Z", *["2026-03-03T21:01:00Z reopened 2026-03-03T14:00:00Z"] * 2]


def test_data_too_late_to_judge_periods_of_an_alert_leaves_them_counted() -> None:
    found = told(
        policies=[{"period": "minute", "aggregate": "count", "condition": "eq", "threshold": 0, "evaluation_periods": 2, "datapoints_to_alarm": 2}],
        logs=[{"t": "2026-03-03T13:50:08Z", "v": 1}, {"t": "2026-03-03T14:50:08Z", "v": 1, "recv": "2026-03-03T16:00:08Z"}],
        ticks=["2026-03-03T14:00:00Z/2026-03-03T16:02:00Z/PT1M"],
    )
    assert found == ["2026-03-03T14:00:00Z opened 2026-03-03T13:58:00Z"]


def test_a_batch_of_late_data_tells_each_return_of_an_alert_that_a_recovery_parts() -> None:
    late = {"recv": "2026-03-03T21:10:00Z"}
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 0, "auto_resolve": False, "early": False}],
        logs=[
            {"t": "2026-03-03T14:00:10Z", "v": 1},
            {"t": "2026-03-03T16:00:10Z", "v": 1, **late},
            {"t": "2026-03-03T17:00:10Z", "v": 1, **late},
            {"t": "2026-03-03T19:00:10Z", "v": 1, **late},
        ],
        ticks=["2026-03-03T14:00:00Z/2026-03-03T22:00:00Z/PT1H"],
    )
    opened, *again = found
    assert opened == "2026-03-03T16:00:00Z opened 2026-03-03T14:00:00Z"
    assert again == ["2026-03-03T21:10:00Z reopened 2026-03-03T14:00:00Z"] * 2

"""Edits in the middle of things: differences between handlers and reference that a review found, each alike now, and as ENGINE.md says."""

from tests.properties.test_differences import told

DAY = "2026-03-03T"


def test_a_longer_delay_does_not_judge_windows_again_that_ticks_have_judged() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 2, "window": "rolling", "window_minutes": 2}],
        logs=[{"t": f"{DAY}14:10:10Z", "v": [1, 1, 1]}, {"t": f"{DAY}14:05:10Z", "v": [1, 1, 1], "recv": f"{DAY}14:14:00Z"}],
        actions=[{"at": f"{DAY}14:12:30Z", "put_policy": "p", "set": {"delay_seconds": 600}}],
        ticks=[f"{DAY}14:10:00Z/{DAY}14:30:00Z/PT1M"],
    )
    assert found == [f"{DAY}14:12:00Z opened {DAY}14:09:00Z", f"{DAY}14:23:00Z recovered {DAY}14:09:00Z"]


def test_a_longer_delay_does_not_reopen_a_period_that_a_tick_has_closed() -> None:
    slots = {"evaluation_periods": 2, "datapoints_to_alarm": 2}
    found = told(
        policies=[{"period": "minute", "aggregate": "sum", "condition": "gt", "threshold": 5, "missing": "ignore", **slots}],
        logs=[
            {"t": f"{DAY}14:01:10Z", "v": [-1, 50]},
            {"t": f"{DAY}14:02:10Z", "v": 50},
            {"t": f"{DAY}14:02:20Z", "v": 50, "recv": f"{DAY}14:05:20Z"},
        ],
        actions=[{"at": f"{DAY}14:04:30Z", "put_policy": "p", "set": {"delay_seconds": 600}}],
        ticks=[f"{DAY}14:00:00Z/{DAY}14:15:00Z/PT1M"],
    )
    assert found == [f"{DAY}14:03:00Z opened {DAY}14:02:00Z"]


def test_slots_that_a_person_resolved_are_those_of_the_policy_as_it_was() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 2, "evaluation_periods": 3, "datapoints_to_alarm": 1}],
        logs=[{"t": f"{DAY}14:01:10Z", "v": [1, 1, 1]}, {"t": f"{DAY}14:08:10Z", "v": [1, 1, 1]}],
        actions=[{"at": f"{DAY}14:05:00Z", "resolve": "p"}, {"at": f"{DAY}14:06:00Z", "put_policy": "p", "set": {"threshold": 5}}],
        ticks=[f"{DAY}14:00:00Z/{DAY}14:09:00Z/PT1M"],
    )
    opened = f"opened {DAY}14:00:00Z"
    assert found == [f"{DAY}14:01:10Z {opened}", f"{DAY}14:05:00Z person {DAY}14:00:00Z", f"{DAY}14:08:10Z {opened}"]


def test_a_recovered_alert_that_was_kept_open_ends_with_the_next_period_once_auto_resolve_is_switched_on() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "max", "condition": "gt", "threshold": 20, "auto_resolve": False}],
        logs=[{"t": f"{DAY}14:10:00Z", "v": 27}, {"t": f"{DAY}15:10:00Z", "v": 1}],
        actions=[{"at": f"{DAY}16:30:00Z", "put_policy": "p", "set": {"auto_resolve": True}}],
        ticks=[f"{DAY}14:01:00Z/{DAY}17:01:00Z/PT1H"],
    )
    assert found == [f"{DAY}14:10:00Z opened {DAY}14:00:00Z", f"{DAY}17:01:00Z recovered {DAY}14:00:00Z"]


def test_a_recovered_alert_that_is_kept_open_is_reminded_of_for_as_long_as_nobody_resolves_it() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "max", "condition": "gt", "threshold": 20, "auto_resolve": False, "renotify_minutes": 720}],
        logs=[{"t": f"{DAY}14:10:00Z", "v": 27}, {"t": f"{DAY}15:10:00Z", "v": 1}],
        ticks=[f"{DAY}14:01:00Z/2026-03-05T03:01:00Z/PT1H"],
    )
    assert [each.split()[1] for each in found] == ["opened", "reminded", "reminded", "reminded"]


def test_values_between_the_two_thresholds_are_not_silence() -> None:
    hours = [f"2026-03-0{day}T{hour:02d}:10:00Z" for day in (3, 4) for hour in range(24)]
    found = told(
        policies=[{"period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 20, "recovery_threshold": 10}],
        logs=[{"t": f"{DAY}14:10:00Z", "v": 27}, *({"t": time, "v": 15} for time in hours[15:43])],
        ticks=[f"{DAY}14:01:00Z/2026-03-04T18:01:00Z/PT1H"],
    )
    assert found == [f"{DAY}14:10:00Z opened {DAY}14:00:00Z"]


def test_a_kept_alert_that_a_late_period_reopens_is_healthy_again_if_later_ones_were() -> None:
    found = told(
        policies=[{"period": "hour", "aggregate": "max", "condition": "gt", "threshold": 20, "auto_resolve": False}],
        logs=[
            *({"t": f"{DAY}{hour}:10:00Z", "v": value} for hour, value in ((10, 27), (11, 1), (13, 1), (15, 27))),
            {"t": f"{DAY}12:10:00Z", "v": 27, "recv": f"{DAY}14:30:00Z"},
        ],
        ticks=[f"{DAY}10:01:00Z/{DAY}16:01:00Z/PT1H"],
    )
    kinds = [each.split()[1] for each in found]
    assert kinds == ["opened", "reopened", "reopened"]

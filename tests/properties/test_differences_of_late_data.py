"""What small histories full of late data found to differ between handlers and reference, shrunk: each must be alike, and as ENGINE.md says."""

from typing import Any

from nightjar.core.alerts import Alert
from nightjar.core.instants import iso, parse_instant
from nightjar.core.when import span

from tests.cases.script import load_script
from tests.properties.quick import QuickPlay
from tests.properties.test_differences import told

AVERAGE = {"period": "minute", "aggregate": "average", "condition": "gt", "threshold": 20}
TWO_OF_THREE = {**AVERAGE, "evaluation_periods": 3, "datapoints_to_alarm": 2}
COMES_BACK = [1000] * 3
HEALS = [0] * 9


def log(at: str, value: Any, received: str | None = None) -> dict[str, Any]:
    """A log of the hour from 14:00; times are minutes and seconds."""
    return {"t": f"2026-03-03T14:{at}Z", "v": value} | ({"recv": f"2026-03-03T14:{received}Z"} if received else {})


def lines(policy: dict[str, Any], *logs: dict[str, Any], act: dict[str, str] | None = None, ticks: str = "00/12") -> list[str]:
    """Play a history to handlers and reference; return what both told, as minute:second, what, and the minute of the first period."""
    first, last = ticks.split("/")
    actions = [{"at": f"2026-03-03T14:{at}Z", what: "p"} for at, what in (act or {}).items()]
    found = told(policies=[policy], logs=list(logs), actions=actions, ticks=[f"2026-03-03T14:{first}:00Z/2026-03-03T14:{last}:00Z/PT1M"])
    return [f"{line[14:19]} {line.split()[1]} {line.split()[2][14:16]}" for line in found]


def played(**given: Any) -> Alert:
    """Play a history to the handlers' pipeline alone, for what the reference does not know; return its only alert."""
    history = QuickPlay(load_script({"id": "found", "kind": "engine", "given": given, "expect": {}}))
    history.run()
    (alert,) = history.alerts()
    return alert


def test_a_late_breach_before_what_a_person_resolved_is_told_with_m_of_n_too() -> None:
    policy = {"period": "minute", "aggregate": "count", "condition": "gt", "threshold": 2, "evaluation_periods": 2, "datapoints_to_alarm": 1}
    found = lines(policy, log("05:01", [1] * 3), log("01:01", [1] * 3, "06:30"), act={"05:40": "resolve"})
    assert found == ["05:01 opened 05", "05:40 person 05", "06:30 opened 01", "06:30 recovered 01"]


def test_the_slots_of_late_data_end_at_each_resolve_before_it_and_not_at_the_last_one_alone() -> None:
    policy = {**AVERAGE, "condition": "lt", "auto_resolve": False, "evaluation_periods": 2, "datapoints_to_alarm": 2}
    logs = log("00:01", 1), log("01:00", 1), log("02:00", 1), log("03:00", 1), log("01:00", 1, "05:01")
    found = lines(policy, *logs, act={"03:00": "resolve", "05:00": "resolve"})
    assert found == ["03:00 opened 01", "03:00 person 01", "05:00 opened 03", "05:00 person 03"]


def test_a_period_that_dropped_out_of_its_own_alert_reopens_it_instead_of_opening_it_again() -> None:
    found = lines(AVERAGE, log("02:01", 50), log("00:01", 60, "04:05"), log("02:02", HEALS, "04:06"), log("02:03", COMES_BACK, "05:10"), ticks="01/07")
    assert found == ["04:00 opened 00", "04:06 recovered 00", "05:10 reopened 00"]


def test_a_period_that_dropped_out_of_an_alert_that_a_person_resolved_alerts_no_more() -> None:
    logs = log("02:01", 50), log("00:01", 60, "04:05"), log("02:02", HEALS, "04:06"), log("02:03", COMES_BACK, "05:10")
    found = lines({**AVERAGE, "recovery_periods": 2}, *logs, act={"04:40": "resolve"}, ticks="01/07")
    assert found == ["04:00 opened 00", "04:40 person 00"]


def test_a_corrected_alert_comes_back_with_nothing_but_the_period_that_is_in_alarm_again() -> None:
    logs = log("00:01", 50), log("01:01", 70), log("00:02", HEALS, "03:05"), log("01:02", HEALS, "03:06"), log("00:03", COMES_BACK, "03:10")
    assert lines(AVERAGE, *logs, ticks="01/07") == ["02:00 opened 00", "03:06 corrected 00", "03:10 reopened 00", "03:10 recovered 00"]


def test_a_slot_that_heals_corrects_the_alert_of_the_period_that_had_it_and_its_return_reopens_it() -> None:
    logs = log("02:01", 50), log("03:01", 1), log("01:01", 50, "05:05"), log("01:02", HEALS, "05:10"), log("01:03", COMES_BACK, "05:20")
    assert lines(TWO_OF_THREE, *logs, ticks="01/07") == ["05:05 opened 02", "05:10 corrected 02", "05:20 reopened 02"]


def test_an_alert_goes_on_when_one_batch_heals_its_only_period_and_makes_the_next_one_breach() -> None:
    found = lines(AVERAGE, log("00:01", 50), log("00:02", HEALS, "03:05"), log("01:02", 50, "03:05"), ticks="01/07")
    assert found == ["02:00 opened 00"]


def test_more_data_of_what_a_person_resolved_changes_that_alert_and_not_an_open_one_of_an_earlier_period() -> None:
    logs = log("05:01", 50), log("02:01", 50, "07:20"), log("05:02", 90, "07:40")
    found = lines({**AVERAGE, "recovery_periods": 3}, *logs, act={"07:10": "resolve"}, ticks="01/09")
    assert found == ["07:00 opened 05", "07:10 person 05", "07:20 opened 02"]


def test_an_early_period_that_is_unsettled_again_leaves_the_alert_to_the_period_before() -> None:
    policy = {"period": "minute", "aggregate": "sum", "condition": "gte", "threshold": 10, "missing": "breach", "delay_seconds": 180}
    logs = log("00:04", COMES_BACK), log("01:01", 15), log("03:06", 50), log("01:03", -500, "04:10")
    found = lines({**policy, "evaluation_periods": 3, "datapoints_to_alarm": 2}, *logs, act={"05:02": "resolve"})
    assert found == ["00:00 opened 56", "05:02 person 56", "06:00 opened 03"]


def test_a_running_period_counts_a_late_slot_though_ticks_were_missed() -> None:
    policy = {"period": "minute", "aggregate": "min", "condition": "lte", "threshold": 20, "evaluation_periods": 2, "datapoints_to_alarm": 2}
    found = lines(policy, log("08:05", 1), log("07:06", 15, "08:11"), ticks="00/06")
    assert found == ["08:11 opened 08"]


def test_a_running_period_that_a_late_slot_brings_into_alarm_is_dated_by_its_own_newest_log() -> None:
    policy = {"period": "minute", "aggregate": "count", "condition": "gt", "threshold": 2, "evaluation_periods": 2, "datapoints_to_alarm": 2}
    found = lines(policy, log("01:04", [1] * 3), log("00:05", [1] * 3, "01:45"), ticks="00/01")
    assert found == ["01:45 opened 01"]  # told() holds triggered_at of both engines against each other


def test_what_a_comparison_said_when_it_was_judged_comes_back_with_its_period() -> None:
    compared = {"period": "hour", "aggregate": "average", "condition": "gt", "threshold": 50, "compare": {"previous": "previous_1d"}, "recovery_periods": 2}
    before = [{"t": f"2026-03-02T{hour}:00:01Z", "v": 50, "recv": f"2026-03-03T13:00:{hour}Z"} for hour in (14, 15)]
    late = [
        {"t": "2026-03-02T14:00:02Z", "v": 140, "recv": "2026-03-03T16:05:00Z"},
        {"t": "2026-03-03T15:10:01Z", "v": [0] * 3, "recv": "2026-03-03T16:06:00Z"},
    ]
    alert = played(
        policies=[{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **compared}],
        logs=[*before, {"t": "2026-03-03T14:10:00Z", "v": 100}, {"t": "2026-03-03T15:10:00Z", "v": 100}, *late],
        ticks=[f"2026-03-03T{at}:00Z" for at in ("13:01", "14:01", "15:01", "16:01", "16:05", "16:06")],
    )
    assert (alert.value, alert.previous_value, alert.change_percent) == (100, 50, 100)


def test_a_day_that_comes_back_as_the_latest_is_named_in_the_timezone_that_it_had() -> None:
    alert = played(
        events=[{"event": "job.run", "timezone": "Europe/London"}],
        policies=[{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **AVERAGE, "period": "day", "recovery_periods": 2}],
        logs=[
            {"t": "2026-03-03T10:00:00Z", "v": 50},
            {"t": "2026-03-04T10:00:00Z", "v": 60},
            {"t": "2026-03-04T11:00:00Z", "v": HEALS, "recv": "2026-03-05T09:00:00Z"},
        ],
        actions=[{"at": "2026-03-03T12:00:00Z", "put_event": "job.run", "set": {"timezone": "Atlantic/Azores"}}],
        ticks=[f"2026-03-{at}:00Z" for at in ("03T00:01", "04T00:01", "04T01:01", "05T01:01", "05T08:59")],
    )
    assert alert.last_start == parse_instant("2026-03-03T00:00:00Z"), iso(alert.last_start)
    assert span(alert.last_start, alert.last_end, alert.zone) == "3 Mar 2026 (Europe/London)"


def test_an_archived_alert_that_comes_back_is_not_archived() -> None:
    alert = played(
        policies=[{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **AVERAGE}],
        logs=[log("00:01", 50), log("00:02", HEALS, "03:05"), log("00:03", COMES_BACK, "05:10")],
        actions=[{"at": "2026-03-03T14:04:00Z", "archive": "p"}],
        ticks=["2026-03-03T14:01:00Z/2026-03-03T14:07:00Z/PT1M"],
    )
    assert (alert.status, alert.archived_at) == ("triggered", None)


def test_what_was_told_early_and_comes_back_late_is_not_so_far_any_more() -> None:
    alert = played(
        policies=[{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **AVERAGE, "aggregate": "sum"}],
        logs=[log("00:05", 30), log("00:30", -20), log("00:40", 20, "03:10")],
        ticks=["2026-03-03T14:00:00Z/2026-03-03T14:03:00Z/PT1M"],
    )
    assert (alert.resolved_by, alert.value, alert.early) == ("recovered", 30, False)


def test_the_fifth_period_that_drops_out_of_an_alert_that_ended_is_not_counted_any_more() -> None:
    policy = {**AVERAGE, "missing": "breach", "delay_seconds": 0, "evaluation_periods": 3, "datapoints_to_alarm": 3}
    logs = [log("01:00", 50), log("02:00", 1, "05:01"), log("00:01", 1, "05:02")]
    assert lines(policy, *logs, ticks="00/05") == ["00:00 opened 59", "05:01 recovered 59"]
    alert = played(
        policies=[{"id": "p", "event": "job.run", "active_from": "2026-03-01T00:00:00Z", **policy}],
        logs=logs,
        ticks=["2026-03-03T14:00:00Z/2026-03-03T14:05:00Z/PT1M"],
    )
    assert (alert.resolved_by, alert.periods, [iso(start) for start in alert.in_alarm]) == ("recovered", 1, ["2026-03-03T13:59:00Z"])


def test_a_batch_of_healthy_minutes_and_a_breach_after_them_ends_the_alert_and_opens_the_next() -> None:
    policy = {"period": "minute", "aggregate": "max", "condition": "gt", "threshold": 20, "recovery_periods": 2}
    logs = log("00:01", 50), log("01:00", 1), log("02:00", 1, "04:01"), log("03:00", 50, "04:01")
    assert lines(policy, *logs) == ["00:01 opened 00", "04:01 recovered 00", "04:01 opened 03"]
    assert lines({**policy, "auto_resolve": False}, *logs) == ["00:01 opened 00", "04:01 reopened 00"]


def test_a_period_that_drops_out_is_followed_by_a_recovery_though_the_same_batch_makes_a_later_one_breach() -> None:
    policy = {**AVERAGE, "recovery_periods": 2, "delay_seconds": 0}
    logs = log("00:01", 50), log("01:00", 50), log("01:01", [1] * 40, "05:01"), log("02:00", 1, "05:01"), log("04:00", 50, "05:01")
    assert lines(policy, *logs) == ["01:00 opened 00", "05:01 recovered 00", "05:01 opened 04"]
    assert lines({**policy, "auto_resolve": False}, *logs) == ["01:00 opened 00", "05:01 reopened 00"]


def test_a_breach_that_has_a_healthy_minute_of_its_batch_as_a_slot_brings_a_kept_alert_back_once() -> None:
    policy = {**AVERAGE, "auto_resolve": False, "delay_seconds": 0, "evaluation_periods": 2, "datapoints_to_alarm": 1}
    logs = log("00:01", 50), log("03:00", 1, "06:01"), log("05:00", 50, "06:01")
    assert lines(policy, *logs) == ["01:00 opened 00", "06:01 reopened 00"]


def test_an_alert_whose_only_period_a_batch_heals_goes_on_with_an_earlier_one_that_the_batch_makes_breach() -> None:
    policy = {**AVERAGE, "aggregate": "min", "missing": "zero", "auto_resolve": False, "delay_seconds": 0}
    logs = log("00:01", 1), log("02:00", 50), log("00:01", 50, "03:01"), log("01:00", 50, "03:01"), log("02:00", 1, "03:01")
    assert lines(policy, *logs) == ["03:00 opened 01"]

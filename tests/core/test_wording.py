"""The words of a message fit its case."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.alerts import Ending
from nightjar.core.instants import DAY, HOUR, MINUTE
from nightjar.core.numbers import exact, length, shown, sparkline, unit_of
from nightjar.core.policies import Aggregate, Condition, Previous
from nightjar.core.when import span
from nightjar.core.wording import Background, measured, notice, title_of

from tests.builders import at
from tests.desk import alert, transition


def hourly(**given: Any) -> Any:
    return alert(**{"period": "hour", "last_end": at("15:03"), **given})


def sentence(**given: Any) -> str:
    return notice([transition(hourly(**given))]).sentence


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("45000", "45,000"), ("8831563", "8,831,560"), ("0.3", "0.3"), ("1E5", "100,000"), ("-0", "0"), ("20.0", "20"), ("66.93401176470588", "66.934"),
        ("1.333333333333333333333333333", "1.33333"), ("9007199254740993", "9,007,200,000,000,000"), ("30.40", "30.4"), ("-1234.5", "-1,234.5"),
        ("1e29", "100,000,000,000,000,000,000,000,000,000"), ("1e-30", "0.000000000000000000000000000001"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_read_them(value: str, words: str) -> None:
    assert shown(Decimal(value)) == words


NUMBERS = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=9)


@given(NUMBERS, NUMBERS | st.none(), st.sampled_from([Decimal(0), Decimal("1e-9"), Decimal("-1e-8")]))
def test_a_number_is_never_rounded_to_or_across_its_threshold(value: Decimal, other: Decimal | None, nudge: Decimal) -> None:
    threshold = other if other is not None else value + nudge
    read = Decimal(shown(value, threshold).replace(",", ""))
    assert read.compare(threshold) == value.compare(threshold)


def test_an_early_alert_says_so_far() -> None:
    assert sentence(value=27, count=27, early=True) == "27 so far this hour, limit 20"
    assert sentence(value=27, count=27) == "27 this hour, limit 20"


def test_a_stall_says_that_nothing_was_logged() -> None:
    assert sentence(value=0, count=0, condition="lt", threshold=10) == "no logs this hour, expected at least 10"


def test_missing_data_that_breaches_has_no_number() -> None:
    assert sentence(value=None, count=0, aggregate="max", condition="gt", threshold=10) == "no logs this hour, but some were expected"


def test_a_change_names_both_windows() -> None:
    changed = {"compare": "previous_7d", "value": 160, "count": 9, "threshold": 50, "previous_value": 100, "change_percent": 60}
    assert sentence(**changed) == "160, 60 % more than 7 days before (100), limit +50 %"
    fallen = {**changed, "value": 40, "change_percent": -60, "threshold": -50, "condition": "lt", "compare": "previous_window"}
    assert sentence(**fallen) == "40, 60 % less than the hour before (100), limit -50 %"


@pytest.mark.parametrize(
    ("condition", "threshold", "words"),
    [("lt", 10, "expected at least +10 %"), ("gt", -10, "expected at most -10 %"), ("gt", 0, "limit 0 %"), ("lt", 0, "limit 0 %")],
)
def test_a_change_that_is_expected_is_no_limit(condition: str, threshold: int, words: str) -> None:
    grown = {"compare": "previous_7d", "value": 105, "count": 9, "previous_value": 100, "change_percent": 5}
    assert sentence(**grown, condition=condition, threshold=threshold) == f"105, 5 % more than 7 days before (100), {words}"


def test_the_worst_of_changes_is_named_with_its_change() -> None:
    given = {"compare": "previous_7d", "condition": "lt", "threshold": -50, "value": 3, "count": 3, "previous_value": 10, "change_percent": -70}
    found = dict(notice([transition(hourly(**given, worst_value=7, worst_change=-93))]).facts)
    assert found["Worst"] == "7 (93 % less)"


@pytest.mark.parametrize("change", [None, "Infinity"])
def test_a_rise_from_nothing_has_no_percentage(change: str | None) -> None:
    risen = {"compare": "previous_1d", "value": 50, "count": 50, "threshold": 50, "previous_value": 0, "change_percent": change}
    assert sentence(**risen) == "50, up from 0 (1 day before), limit +50 %"


def test_units_come_from_the_events_name() -> None:
    slow = {"aggregate": "average", "event": "invoice.duration_ms", "value": 45000, "threshold": 30000}
    assert sentence(**slow) == "average 45,000 ms this hour, limit 30,000 ms"
    assert sentence(**{**slow, "aggregate": "count"}) == "45,000 this hour, limit 30,000"
    assert [unit_of(name) for name in ("a.b_bytes", "lag-seconds", "jobs", "ms")] == ["bytes", "s", "", ""]
    assert [unit_of(name) for name in ("jobs_per_sec", "bytes.per.s", "orders.us", "signups-gb", "latency_us", "disk_gb")] == ["", "", "", "", "µs", "GB"]


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("bytes", "1 byte"), ("rows", "1 row"), ("retries", "1 retry"), ("batches", "1 batch"), ("caches", "1 cache"), ("boxes", "1 box"),
        ("classes", "1 class"), ("failed jobs", "1 failed job"), ("tokens", "1 token"), ("ms", "1 ms"), ("msgs", "1 msgs"), ("mbps", "1 mbps"),
        ("iops", "1 iops"), ("GBs", "1 GBs"), ("status", "1 status"), ("series", "1 series"), ("%", "1 %"), ("<!s>", "1 <!s>"), ("s", "1 s"),
    ],
)  # fmt: skip
def test_of_one_thing_a_unit_that_is_a_word_says_only_one(unit: str, words: str) -> None:
    one = {"aggregate": "sum", "condition": "lt", "unit": unit, "value": 1, "count": 3}
    assert sentence(**one, threshold=2) == f"{words} this hour, expected at least 2 {unit}"
    assert sentence(**{**one, "value": -1}, threshold=1) == f"-{words} this hour, expected at least {words}"
    assert title_of(alert(**{**one, "threshold": 1})).endswith(f"below {words}")


def test_a_rolling_window_is_named_by_its_length() -> None:
    assert sentence(window="rolling", window_minutes=90) == "25 in the last 90 minutes, limit 20"
    assert sentence(window="rolling", window_minutes=360) == "25 in the last 6 hours, limit 20"
    assert sentence(window="rolling", window_minutes=None) == "25 in the last 60 minutes, limit 20"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("gt", "limit 20"), ("gte", "expected below 20"), ("lt", "expected at least 20"), ("lte", "expected more than 20"),
        ("eq", "expected anything but 20"), ("ne", "expected 20"),
    ],
)  # fmt: skip
def test_each_condition_says_what_was_expected(condition: Condition, words: str) -> None:
    assert sentence(condition=condition).endswith(words)


@pytest.mark.parametrize(
    ("by", "words", "label"),
    [
        ("recovered", "recovered after 35 min", "Recovered"), ("person", "resolved by hand after 35 min", "Resolved"),
        ("corrected", "closed: later logs corrected the values", "Closed"), ("no_data", "closed: no data for 24 hours that could be judged", "Closed"),
        ("policy_changed", "closed: the policy was changed", "Closed"), ("policy_disabled", "closed: the policy was disabled", "Closed"),
        ("policy_deleted", "closed: the policy was deleted", "Closed"),
    ],
)  # fmt: skip
def test_an_ending_says_why(by: Ending, words: str, label: str) -> None:
    found = notice([transition(hourly(), "resolved", 2, clock="14:38", by=by)])
    assert (found.sentence, found.label, found.kind) == (words, label, "ended")
    assert ("Last in alarm", "25 on 3 Mar, 14:03\N{EN DASH}15:03 UTC, limit 20") in found.facts


def test_silence_of_a_day_policy_lasts_three_days() -> None:
    assert notice([transition(alert(period="day"), "resolved", by="no_data")]).sentence == "closed: no data for 3 days that could be judged"


def test_opening_and_recovery_become_one_line_that_says_it_is_over() -> None:
    found = notice([transition(hourly(early=True)), transition(hourly(early=True), "resolved", 2, clock="14:13")])
    assert (found.kind, found.label, found.icon) == ("over", "Over", "✅")
    assert found.sentence == "25 on 3 Mar, 14:03\N{EN DASH}15:03 UTC, limit 20; recovered after 10 min"


@pytest.mark.parametrize("of", [{"condition": "lt", "threshold": 10, "value": 0, "count": 0}, {"window": "rolling", "window_minutes": 60}])
def test_what_is_over_is_not_said_of_now_though_it_has_just_ended(of: dict[str, Any]) -> None:
    kept_open = transition(hourly(**of, healed=at("15:03")), "reminded", 2, clock="15:04")
    for told in ([transition(hourly(**of), "resolved", 2, clock="15:04")], [kept_open]):
        found = notice(told)
        assert "this hour" not in str((found.sentence, found.facts))
        assert "in the last" not in str((found.sentence, found.facts))


def test_an_alert_that_ended_at_once_lasted_as_long_as_its_periods() -> None:
    late = hourly(opened="14:00", last_end=at("15:00"), triggered_at=at("15:01"))
    assert "recovered after 1 h" in notice([transition(late), transition(late, "resolved", 2, clock="15:01")]).sentence


@pytest.mark.parametrize(
    ("types", "kind", "label"),
    [
        (["opened"], "opened", "Warning"), (["reminded"], "reminder", "Still warning"), (["reopened"], "reopened", "Warning again"),
        (["opened", "reminded"], "opened", "Warning"), (["opened", "resolved", "reopened"], "reopened", "Warning again"),
        (["opened", "resolved"], "over", "Over"), (["reopened", "resolved"], "over", "Over"), (["reminded", "resolved"], "ended", "Recovered"),
    ],
)  # fmt: skip
def test_what_waits_together_of_one_alert_comes_to_one_line(types: list[Any], kind: str, label: str) -> None:
    found = notice([transition(hourly(), type, number + 1) for number, type in enumerate(types)])
    assert (found.kind, found.label) == (kind, label)
    assert len(found.transitions) == len(types)


def test_facts_name_what_is_around_the_value() -> None:
    found = dict(notice([transition(hourly(worst_value=99, periods=3, evaluation_periods=5, datapoints_to_alarm=3))], Background(Decimal(7))).facts)
    assert found == {
        "Event": "job.run", "Agent": "worker.billing", "Period": "3 Mar 2026, 14:03\N{EN DASH}15:03 UTC", "Rule": "3 of the last 5 hours",
        "In alarm": "3 hours", "Worst": "99", "A day before": "7", "Alert": hourly().alert_id,
    }  # fmt: skip


def test_an_alert_is_linked_to_where_the_api_is_known_and_named_where_it_is_not() -> None:
    known, unknown = (notice([transition(hourly(runbook_url="https://run.example"))], api_url=url) for url in ("https://api.example/prod", ""))
    assert known.links == (("Runbook", "https://run.example"), ("Alert", f"https://api.example/prod/v1.0/alerts/{hourly().alert_id}"))
    assert (unknown.links, dict(known.facts).get("Alert")) == ((("Runbook", "https://run.example"),), None)


def test_a_policy_without_a_title_is_named_by_what_it_watches() -> None:
    assert title_of(alert()) == "job.run: count above 20"
    assert title_of(alert(aggregate="p95_est", event="run_ms", condition="gte")) == "run_ms: p95 at least 20 ms"
    assert title_of(alert(compare="previous_1d", threshold=50)) == "job.run: change of count above +50 %"
    assert title_of(alert(title="Mine")) == "Mine"


def test_lengths_and_spans_are_written_with_two_units() -> None:
    assert [length(each) for each in (0, 59 * MINUTE, HOUR, 25 * HOUR, 2 * DAY, DAY + MINUTE)] == ["0 s", "59 min", "1 h", "1 day 1 h", "2 days", "1 day"]
    assert span(at("00:00"), at("00:00") + DAY) == "3 Mar 2026 (UTC)"
    assert span(at("23:00"), at("23:00") + HOUR) == "3 Mar 2026, 23:00\N{EN DASH}24:00 UTC"
    assert span(at("23:00"), at("23:00") + DAY) == "3 Mar 2026, 23:00 \N{EN DASH} 4 Mar 2026, 23:00 UTC"


def test_a_trend_is_drawn_from_zero_and_nothing_is_a_dot() -> None:
    assert sparkline([Decimal(0), None, Decimal(7), Decimal(14)]) == "▁·▅█"
    assert sparkline([Decimal(-7), Decimal(0), Decimal(7)]) == "▁▅█"
    assert sparkline([Decimal(0), Decimal(0)]) == "▁▁"
    assert sparkline([]) == ""
    assert exact(Decimal("1234567.891")) == "1,234,567.891"


VALUES = st.none() | st.decimals(min_value=-(10**29), max_value=10**29, allow_nan=False, allow_infinity=False, places=5)


@given(
    aggregate=st.sampled_from(get_args(Aggregate)), condition=st.sampled_from(get_args(Condition)), compare=st.none() | st.sampled_from(get_args(Previous)),
    value=VALUES, count=st.integers(0, 3), previous_value=VALUES, change_percent=VALUES, worst_value=VALUES, period=st.sampled_from(["minute", "hour", "day"]),
    window=st.sampled_from(["calendar", "rolling"]), early=st.booleans(), day=VALUES, type=st.sampled_from(["opened", "reopened", "reminded", "resolved"]),
    by=st.sampled_from(get_args(Ending)), after=st.integers(-5, 1_000_000), late=st.booleans(), healed=st.sampled_from([None, at("14:05")]),
)  # fmt: skip
def test_no_case_says_none_or_uses_an_exponent(*, day: Decimal | None, type: Any, by: Any, after: int, late: bool, **given: Any) -> None:
    now = at("14:03") + after * MINUTE
    found = notice([transition(alert(**given), type, by=by)], Background(day, (day, day)), now=now, latest=alert(**given) if late else None)
    words = " ".join([found.heading, found.sentence, *(f"{name} {value}" for name, value in found.facts), measured(alert(**given), now)])
    assert "None" not in words
    assert "E+" not in words
    assert "  " not in words

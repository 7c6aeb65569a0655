"""When a policy fires: one period's verdict."""

from decimal import Decimal

import pytest
from nightjar.core.verdicts import baseline_value, judge, rests_on_little, settled

from tests.builders import at, bucket, hour, policy

HOUR = hour("14:00")


@pytest.mark.parametrize(
    ("condition", "threshold", "count", "outcome"),
    [
        ("gt", 20, 20, "healthy"), ("gt", 20, 21, "breach"), ("gte", 20, 20, "breach"), ("gte", 20, 19, "healthy"),
        ("lt", 10, 10, "healthy"), ("lt", 10, 9, "breach"), ("lte", 10, 10, "breach"), ("lte", 10, 11, "healthy"),
        ("eq", 3, 3, "breach"), ("eq", 3, 4, "healthy"), ("ne", 3, 4, "breach"), ("ne", 3, 3, "healthy"),
    ],
)  # fmt: skip
def test_a_threshold_itself_is_not_beyond_the_threshold(condition: str, threshold: int, count: int, outcome: str) -> None:
    assert judge(policy(condition=condition, threshold=threshold), HOUR, bucket([1] * count)).outcome == outcome


@pytest.mark.parametrize(
    ("missing", "condition", "outcome", "value"),
    [("zero", "lt", "breach", Decimal(0)), ("zero", "gt", "healthy", Decimal(0)), ("ignore", "lt", "nothing", None), ("breach", "gt", "breach", None)],
)
def test_a_period_without_logs_means_what_missing_says(missing: str, condition: str, outcome: str, value: Decimal | None) -> None:
    verdict = judge(policy(missing=missing, condition=condition, threshold=10), HOUR, bucket())
    assert (verdict.outcome, verdict.value, verdict.missing) == (outcome, value, True)


def test_min_count_keeps_few_logs_quiet_but_is_not_asked_of_none() -> None:
    watched = policy(condition="lt", threshold=10, min_count=5)
    assert judge(watched, HOUR, bucket([1] * 4)).reason == "too_few_logs"
    assert judge(watched, HOUR, bucket([1] * 5)).outcome == "breach"
    assert judge(watched, HOUR, bucket()).outcome == "breach"


def test_sums_are_compared_as_the_decimals_that_clients_wrote() -> None:
    ten = bucket(["0.1"] * 10)
    assert judge(policy(aggregate="sum", condition="eq", threshold=1), HOUR, ten).outcome == "breach"
    assert judge(policy(aggregate="average", condition="gt", threshold="0.1"), HOUR, ten).outcome == "healthy"


def test_between_threshold_and_recovery_threshold_a_period_says_nothing() -> None:
    watched = policy(threshold=100, recovery_threshold=80)
    assert [judge(watched, HOUR, bucket([1] * count)).outcome for count in (101, 100, 81, 80)] == ["breach", "nothing", "nothing", "healthy"]


@pytest.mark.parametrize(
    ("now", "before", "min_count", "outcome", "change"),
    [
        (250, 100, 0, "healthy", 150), (301, 100, 0, "breach", 201), (0, 0, 0, "healthy", 0),
        (50, 0, 0, "nothing", None), (50, 0, 20, "breach", None), (10, 0, 20, "nothing", None),
    ],
)  # fmt: skip
def test_compare_holds_the_change_in_per_cent_against_the_threshold(now: int, before: int, min_count: int, outcome: str, change: int | None) -> None:
    watched = policy(threshold=200, compare="previous_1d", min_count=min_count)
    verdict = judge(watched, HOUR, bucket([1] * now), Decimal(before))
    assert (verdict.outcome, verdict.change) == (outcome, change)


def test_without_a_baseline_nothing_is_compared() -> None:
    assert judge(policy(threshold=200, compare="previous_1d"), HOUR, bucket([1] * 50), None).reason == "no_baseline"
    assert baseline_value(policy(compare="previous_1d"), bucket(), at("10:00"), at("11:00")) is None
    assert baseline_value(policy(compare="previous_1d"), bucket(), at("12:00"), at("11:00")) == 0
    assert baseline_value(policy(compare="previous_1d", aggregate="average"), bucket(), at("12:00"), at("11:00")) is None


def test_active_from_inside_a_period_counts_for_gt_but_not_for_lt() -> None:
    assert judge(policy(active_from=at("14:30")), HOUR, bucket([1] * 21)).outcome == "breach"
    assert judge(policy(active_from=at("15:00")), HOUR, bucket([1] * 21)).outcome == "nothing"
    for stall in ({"condition": "lt", "threshold": 10}, {"missing": "breach"}, {"condition": "eq", "threshold": 0}):
        assert judge(policy(active_from=at("14:30"), **stall), HOUR, bucket()).reason == "before_active_from"
        assert judge(policy(active_from=at("14:00"), **stall), HOUR, bucket()).outcome == "breach"
    grown = [judge(policy(active_from=at(start), compare="previous_1d"), HOUR, bucket([1] * 21), Decimal(1)) for start in ("14:30", "14:00")]
    assert [(verdict.outcome, verdict.reason == "before_active_from") for verdict in grown] == [("nothing", True), ("breach", False)]


@pytest.mark.parametrize(
    ("aggregate", "condition", "threshold", "values", "outcome"),
    [
        ("count", "gt", 2, [1, 1, 1], "breach"), ("count", "gte", 3, [1, 1, 1], "breach"), ("count", "gt", 3, [1, 1, 1], None),
        ("count", "lt", 3, [1, 1, 1], "healthy"), ("count", "lte", 2, [1, 1, 1], "healthy"), ("count", "lt", 4, [1, 1, 1], None),
        ("sum", "gt", 5, [3, 3], "breach"), ("sum", "gt", 5, [9, -1], None), ("sum", "lt", 5, [3, 3], "healthy"), ("sum", "lt", 5, [9, -1], None),
        ("max", "gt", 5, [6], "breach"), ("max", "gte", 6, [6], "breach"), ("max", "lt", 5, [6], "healthy"), ("max", "lt", 7, [6], None),
        ("min", "lt", 5, [4], "breach"), ("min", "lte", 4, [4], "breach"), ("min", "gt", 5, [4], "healthy"), ("min", "gt", 3, [4], None),
        ("average", "gt", 5, [9], None), ("p95_est", "gt", 5, [9], None),
        ("stddev", "lt", 5, [9, 9], None), ("count", "eq", 1, [1], None), ("count", "ne", 5, [1], None),
    ],
)  # fmt: skip
def test_a_running_period_is_judged_only_when_its_outcome_can_no_longer_change(
    aggregate: str, condition: str, threshold: int, values: list[int], outcome: str | None
) -> None:
    verdict = settled(policy(aggregate=aggregate, condition=condition, threshold=threshold), HOUR, bucket(values))
    assert (verdict.outcome if verdict else None) == outcome


@pytest.mark.parametrize("given", [{"early": False}, {"compare": "previous_1d"}, {"window": "rolling"}, {"min_count": 22}])
def test_some_policies_always_wait_for_the_close(given: dict[str, object]) -> None:
    assert settled(policy(), HOUR, bucket([1] * 21)) is not None
    assert settled(policy(**given), HOUR, bucket([1] * 21)) is None


@pytest.mark.parametrize(
    ("given", "count", "little"),
    [({"condition": "gt"}, 21, False), ({"condition": "lt"}, 1, True), ({"condition": "eq", "threshold": 1}, 1, True), ({"missing": "breach"}, 0, True)],
)
def test_what_rests_on_little_data_is_looked_at_twice(given: dict[str, object], count: int, little: bool) -> None:
    watched = policy(**given)
    assert rests_on_little(watched, judge(watched, HOUR, bucket([1] * count))) is little

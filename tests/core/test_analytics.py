"""The comparison of two windows."""

import doctest
import itertools
from decimal import Decimal

import pytest
from nightjar.core import analytics
from nightjar.core.analytics import PAIRS, SPANS, Span, compare, windows
from nightjar.core.instants import DAY, HOUR, iso, parse_instant
from nightjar.core.periods import DAYS_BEFORE, Previous, cover
from nightjar.core.rollups import EMPTY, Bucket

AT = parse_instant("2026-03-03T14:03:20Z")


def bucket(*values: object) -> Bucket:
    made = Bucket()
    for value in values:
        made.add(Decimal(str(value)), 0)
    return made


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(analytics).failed == 0


@pytest.mark.parametrize(
    ("span", "previous", "current", "earlier"),
    [
        ("1h", "previous_window", ("2026-03-03T13:03:00Z", "2026-03-03T14:03:00Z"), ("2026-03-03T12:03:00Z", "2026-03-03T13:03:00Z")),
        ("1h", "previous_1m", ("2026-03-03T13:03:00Z", "2026-03-03T14:03:00Z"), ("2026-02-01T13:03:00Z", "2026-02-01T14:03:00Z")),
        ("1d", "previous_7d", ("2026-03-02T14:03:00Z", "2026-03-03T14:03:00Z"), ("2026-02-23T14:03:00Z", "2026-02-24T14:03:00Z")),
        ("7d", "previous_window", ("2026-02-24T14:00:00Z", "2026-03-03T14:00:00Z"), ("2026-02-17T14:00:00Z", "2026-02-24T14:00:00Z")),
        ("1m", "previous_window", ("2026-02-01T14:00:00Z", "2026-03-03T14:00:00Z"), ("2026-01-02T14:00:00Z", "2026-02-01T14:00:00Z")),
    ],
)
def test_the_windows_of_a_comparison(span: Span, previous: Previous, current: tuple[str, str], earlier: tuple[str, str]) -> None:
    assert [(iso(window.start), iso(window.end)) for window in windows(span, previous, AT)] == [current, earlier]


def test_a_full_minute_ends_the_window_that_it_ends() -> None:
    assert windows("1h", "previous_window", 5 * HOUR)[0].end == 5 * HOUR


@pytest.mark.parametrize(("span", "previous"), list(itertools.product(SPANS, ["previous_window", *DAYS_BEFORE])))
def test_every_pair_either_has_two_windows_of_one_length_or_is_refused(span: Span, previous: Previous) -> None:
    if previous not in PAIRS[span]:
        with pytest.raises(ValueError, match=f"previous: with period {span} must be one of previous_window"):
            windows(span, previous, AT)
        return
    current, earlier = windows(span, previous, AT)
    assert current.end - current.start == earlier.end - earlier.start
    assert earlier.end <= current.start


def test_minutes_are_asked_for_only_as_long_as_they_are_kept() -> None:
    for span, allowed in PAIRS.items():
        for previous in allowed:
            bins = [bin for window in windows(span, previous, AT) for bin in cover(window.start, window.end)]
            assert min((start for letter, start in bins if letter == "m"), default=AT) > AT - 35 * DAY


def test_the_figures_of_two_windows() -> None:
    assert compare(bucket(2, 4, 6, 8), bucket(4, 1)) == {
        "current_value": 20,
        "current_count": 4,
        "previous_value": 5,
        "previous_count": 2,
        "value_delta": 15,
        "count_delta": 2,
        "value_pct_change": 300,
        "count_pct_change": 100,
        "current_mean": 5,
        "previous_mean": Decimal("2.5"),
        "mean_delta": Decimal("2.5"),
        "mean_pct_change": 100,
        "current_stddev": Decimal("2.236067977499789696409173669"),
        "previous_stddev": Decimal("1.5"),
    }


def test_a_mean_of_nothing_and_a_percentage_over_zero_are_null() -> None:
    data = compare(bucket(3), EMPTY)
    nulls = {name for name, value in data.items() if value is None}
    assert nulls == {"value_pct_change", "count_pct_change", "previous_mean", "mean_delta", "mean_pct_change", "previous_stddev"}
    assert (data["value_delta"], data["previous_value"]) == (3, 0)


def test_two_silent_windows_have_counts_and_no_means() -> None:
    data = compare(EMPTY, EMPTY)
    assert (data["current_value"], data["count_delta"], data["value_pct_change"]) == (0, 0, None)

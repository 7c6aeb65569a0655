"""What a policy measures, held against plain arithmetic."""

import doctest
import math
import statistics
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core import aggregates
from nightjar.core.aggregates import change_percent, measure
from nightjar.core.policies import Aggregate
from nightjar.core.rollups import EMPTY, Bucket, merge

ALL: list[Aggregate] = ["sum", "count", "average", "min", "max", "p50_est", "p95_est", "p99_est", "stddev"]
EXACT_28 = Context(prec=28, rounding=ROUND_HALF_EVEN)
NUMBERS = st.decimals(min_value=-(10**29), max_value=10**29, places=30) | st.decimals(min_value=-1000, max_value=1000, places=3)


def bucket(*values: object) -> Bucket:
    made = Bucket()
    for value in values:
        made.add(Decimal(str(value)), 0)
    return made


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(aggregates).failed == 0


@pytest.mark.parametrize("aggregate", ALL)
def test_nothing_has_no_aggregate(aggregate: Aggregate) -> None:
    assert measure(aggregate, EMPTY) is None


@pytest.mark.parametrize("aggregate", ALL)
def test_a_bucket_of_parked_logs_only_has_no_aggregate(aggregate: Aggregate) -> None:
    parked = Bucket()
    parked.parked = 3
    assert measure(aggregate, parked) is None


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [("sum", "30"), ("count", "4"), ("average", "7.5"), ("min", "1"), ("max", "15"), ("p50_est", "7"), ("stddev", "5.408326913195984")],
)
def test_each_aggregate_of_four_numbers(aggregate: Aggregate, value: str) -> None:
    found = measure(aggregate, bucket(1, 4, 10, 15))
    assert found is not None
    assert float(found) == pytest.approx(float(value), rel=0.005 if aggregate == "p50_est" else 1e-15)


def test_the_mean_of_tenths_is_a_tenth_and_not_above_it() -> None:
    assert measure("average", bucket(*["0.1"] * 10)) == Decimal("0.1")


def test_an_average_has_28_digits_rounded_half_to_even() -> None:
    assert measure("average", bucket(1, 0, 0)) == Decimal("0." + "3" * 28)
    assert measure("average", bucket(2, 0, 0)) == Decimal("0." + "6" * 27 + "7")


def test_equal_values_deviate_by_nothing_however_large_they_are() -> None:
    assert measure("stddev", bucket(*["123456789012345678901234567.1"] * 3)) == 0


def test_a_small_deviation_of_large_values_is_not_lost() -> None:
    assert measure("stddev", bucket("100000000000000000001", "100000000000000000003")) == 1


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(1, 29))
def test_exact_aggregates_are_those_of_plain_arithmetic(values: list[Decimal], cut: int) -> None:
    made = merge([bucket(*values[:cut]), bucket(*values[cut:])])
    exact = sum(map(Fraction, values), Fraction())
    assert measure("count", made) == len(values)
    assert Fraction(made.total) == exact
    assert (measure("min", made), measure("max", made)) == (min(values), max(values))
    average, deviation = measure("average", made), measure("stddev", made)
    assert average is not None
    assert deviation is not None
    assert average == EXACT_28.divide(Decimal(exact.numerator), Decimal(exact.denominator * len(values)))
    assert math.isclose(deviation, statistics.pstdev(map(Fraction, values)), rel_tol=1e-12)


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        ("160", "100", "60"),
        ("400", "100", "300"),
        ("50", "100", "-50"),
        ("5", "-5", "200"),
        ("-10", "-5", "-100"),
        ("0", "0", "0"),
        ("0", "7", "-100"),
        ("1", "3", "-66.66666666666666666666666667"),
        ("1", "0", None),
        ("-1", "0", None),
    ],
)
def test_a_change_is_told_against_the_size_of_what_was_before(now: str, before: str, change: str | None) -> None:
    assert change_percent(Decimal(now), Decimal(before)) == (None if change is None else Decimal(change))

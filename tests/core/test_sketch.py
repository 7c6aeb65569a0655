"""The quantile sketch, value by value; its accuracy over whole distributions is in tests/properties."""

import random

import pytest
from nightjar.core.sketch import MOST_BINS, Sketch, bin_of


def sketch(values: list[float]) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(value)
    return made


def quantile(values: list[float], q: float) -> float:
    return sketch(values).quantile(q, min(values), max(values))


def test_one_value_is_every_quantile_exactly() -> None:
    assert [quantile([30.4], q) for q in (0, 0.5, 0.99, 1)] == [30.4] * 4


def test_the_least_and_the_greatest_value_are_exact() -> None:
    assert quantile([3.0, 17.0, 400.1], 0) == 3.0
    assert quantile([3.0, 17.0, 400.1], 1) == 400.1


def test_a_quantile_lies_between_its_two_neighbours_as_in_a_spreadsheet() -> None:
    assert quantile([10.0, 20.0], 0.5) == 15.0
    assert quantile([10.0, 20.0], 0.95) == pytest.approx(19.5)


def test_many_equal_values_are_exact() -> None:
    assert quantile([7.7] * 1_000, 0.95) == 7.7


def test_zeros_have_a_bin_of_their_own() -> None:
    assert quantile([0.0] * 99 + [5.0], 0.5) == 0.0
    assert sketch([0.0, -0.0]).bins == {0: 2}


def test_negative_values_come_before_zero_and_positive_ones_after() -> None:
    values = [-100.0, -1.0, 0.0, 1.0, 100.0]
    numbers = [bin_of(value) for value in values]
    assert numbers == sorted(numbers)
    assert quantile(values, 0.25) == pytest.approx(-1, rel=0.01)
    assert quantile(values, 0.5) == 0.0
    assert quantile(values, 0.75) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("value", [1e-30, 9.999e29, -1e-30, -9.999e29])
def test_the_outermost_values_that_a_client_may_send_fit(value: float) -> None:
    assert quantile([value], 0.5) == value


@pytest.mark.parametrize("value", [1e-40, -1e40, float("inf"), float("nan")])
def test_what_no_client_may_send_is_refused(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        Sketch().add(value)


def test_nothing_counted_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="empty"):
        Sketch().quantile(0.5, 0, 0)


def test_bins_beyond_the_limit_collapse_into_the_lowest_kept() -> None:
    values = [1.0101**step for step in range(3_000)]
    random.Random(1).shuffle(values)
    made = sketch(values)
    highest = sorted({bin_of(value) for value in values})[-MOST_BINS:]
    assert sorted(made.bins) == highest
    assert made.bins[highest[0]] == 3_000 - MOST_BINS + 1
    assert sum(made.bins.values()) == 3_000
    assert made.quantile(0.95, min(values), max(values)) == pytest.approx(1.0101**2_849, rel=0.01)


def test_collapsing_halves_and_merging_them_equals_one_pass() -> None:
    values = [1.0101**step for step in range(3_000)]
    one, two = sketch(values[:2_500]), sketch(values[500:])
    merged = Sketch()
    merged.merge(two)
    merged.merge(one)
    assert merged.bins == sketch(values[:2_500] + values[500:]).bins


@pytest.mark.parametrize("values", [[], [0.0], [-5.0], [1e-30, 9e29], [1.0] * 70, [1.0] * 9_000 + [1.2, -3.0, 0.0]])
def test_what_was_packed_is_read_back(values: list[float]) -> None:
    made = sketch(values)
    assert Sketch.unpack(made.pack()).bins == made.bins


def test_neighbouring_bins_with_few_values_take_one_byte_each() -> None:
    made = Sketch({9_000 + step: 5 for step in range(200)})
    assert len(made.pack()) < 210

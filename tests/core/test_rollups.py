"""Buckets: what they hold, how they merge, what their bytes are."""

import doctest
import itertools
import random
import subprocess
import sys
from decimal import Decimal, localcontext

import pytest
from nightjar.core import rollups
from nightjar.core.decimals import LIMIT, PLACES
from nightjar.core.rollups import EMPTY, HEAD_QUANTILES, Bucket, merge
from nightjar.core.sketch import MOST_BINS
from nightjar.core.sums import Sums


def bucket(*values: object, at: int = 0) -> Bucket:
    made = Bucket()
    for value in values:
        made.add(Decimal(str(value)), at)
    return made


def stored(made: Bucket) -> Bucket:
    return Bucket.unpack(made.pack())


def figures(made: Bucket) -> tuple[object, ...]:
    return made.count, made.parked, made.total, made.squares, made.low, made.high, made.newest, made.clock, made.sketch.bins


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(rollups).failed == 0


def test_ten_times_a_tenth_is_one() -> None:
    assert bucket(*["0.1"] * 10).total == 1


def test_a_million_tenths_are_a_hundred_thousand() -> None:
    tenth = bucket(*["0.1"] * 10)
    made = Bucket()
    for _ in range(100_000):
        made.absorb(tenth)
    assert made.count == 10**6
    assert made.total == 10**5
    assert stored(made).total == 10**5


def test_a_tenth_added_a_million_times_is_a_hundred_thousand() -> None:
    figures = Sums()
    tenth = Decimal("0.1")
    for _ in range(10**6):
        figures.add(tenth)
    assert (figures.total, figures.squares, figures.low, figures.high) == (10**5, 10**4, tenth, tenth)
    assert Sums.unpack(figures.pack()).total == 10**5


@pytest.mark.parametrize("cut", [0, 1, 500, 999, 1_000])
def test_mixed_signs_of_all_sizes_add_to_the_digit_against_decimal(cut: int) -> None:
    chance = random.Random(29)
    values = [Decimal(chance.randrange(-(10**18), 10**18)).scaleb(chance.randint(-30, 11)) for _ in range(1_000)]
    halves = Sums(), Sums()
    for place, value in enumerate(values):
        halves[place >= cut].add(value)
    halves[0].merge(halves[1])
    with localcontext(prec=200):
        assert halves[0].total == sum(values)
        assert halves[0].squares == sum(value * value for value in values)
    assert (halves[0].low, halves[0].high) == (min(values), max(values))


def test_the_largest_and_the_smallest_number_add_to_the_digit() -> None:
    made = stored(bucket("1e29", "1e-30"))
    assert str(made.total) == "1" + "0" * 29 + "." + "0" * 29 + "1"
    assert str(made.squares) == "1" + "0" * 58 + "." + "0" * 59 + "1"
    assert (made.low, made.high) == (Decimal("1e-30"), Decimal("1e29"))


def test_opposite_numbers_leave_nothing() -> None:
    made = bucket("0.3", "-0.1", "-0.2")
    assert str(made.total) == "0.0"
    assert (made.low, made.high) == (Decimal("-0.2"), Decimal("0.3"))


def test_what_was_packed_is_read_back() -> None:
    made = bucket(3, "-4.5", 0, "1e20", at=1_772_546_400_000_000)
    made.parked, made.clock = 2, 1_772_546_460_000_000
    assert figures(stored(made)) == figures(made)


def test_an_empty_bucket_with_a_parked_log_is_read_back() -> None:
    made = Bucket()
    made.parked = 1
    assert figures(stored(made)) == figures(made)


def test_instants_before_1970_and_none_are_told_apart() -> None:
    assert stored(bucket(1, at=-5)).newest == -5
    assert stored(Bucket()).newest is None
    assert stored(bucket(1, at=0)).newest == 0


def test_the_head_answers_what_the_bins_would() -> None:
    made = bucket(*range(1, 200))
    head = stored(made)
    assert [head.quantile(q) for q in HEAD_QUANTILES] == [made.quantile(q) for q in HEAD_QUANTILES]
    assert head._sketch is None
    assert head.quantile(0.9) == made.quantile(0.9)


@pytest.mark.parametrize("value", ["30.4", "-0.123456789012345678901234567891", "0", "999999999999999999999999999999.5"])
def test_every_quantile_of_one_value_is_that_value_with_all_its_digits(value: str) -> None:
    for made in (bucket(value), bucket(*[value] * 5)):
        assert [made.quantile(q) for q in HEAD_QUANTILES] == [Decimal(value)] * 3
        assert [stored(made).quantile(q) for q in HEAD_QUANTILES] == [Decimal(value)] * 3


def test_a_quantile_never_leaves_the_values_by_rounding() -> None:
    least, greatest = Decimal("0.1000000000000000055511151231257827"), Decimal("0.30000000000000000000000000001")
    for made in (bucket(least, greatest), stored(bucket(least, greatest))):
        for q in (0, *HEAD_QUANTILES, 1):
            assert least <= made.quantile(q) <= greatest
    assert bucket(least, greatest).quantile(0) == least
    assert bucket(least, greatest).quantile(1) == greatest


def test_an_empty_bucket_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="empty"):
        EMPTY.quantile(0.5)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "1e40", "1e-400"])
def test_what_cannot_be_held_leaves_the_bucket_as_it_was(value: str) -> None:
    made = bucket(1, 2)
    before = made.pack()
    with pytest.raises((ArithmeticError, ValueError)):
        made.add(Decimal(value), 9)
    assert made.pack() == before


def test_adding_to_a_stored_bucket_goes_on_where_it_stopped() -> None:
    made = stored(bucket(1, 2, 3))
    made.add(Decimal(100), 7)
    in_one_go = bucket(1, 2, 3)
    in_one_go.add(Decimal(100), 7)
    assert figures(made) == figures(in_one_go)
    assert made.quantile(0.99) == in_one_go.quantile(0.99)


def test_merging_in_any_order_makes_the_same_bytes() -> None:
    parts = [bucket(1, "2.5", at=3), bucket(-7, at=9), bucket(0, 0, "1e-30", at=5), Bucket()]
    whole = bucket(1, "2.5", -7, 0, 0, "1e-30", at=9).pack()
    for order in itertools.permutations(parts):
        assert merge(order).pack() == whole
        assert merge(stored(part) for part in order).pack() == whole


def test_merging_leaves_its_parts_as_they_were() -> None:
    one, two = bucket(1), bucket(2)
    before = one.pack(), two.pack()
    merged = merge([one, two])
    merged.add(Decimal(3), 0)
    assert merged.count == 3
    assert (one.pack(), two.pack()) == before


def test_merging_nothing_is_empty_and_one_is_itself() -> None:
    one = bucket(1)
    assert merge([]) is EMPTY
    assert merge([EMPTY, one, Bucket()]) is one


def test_merging_keeps_the_latest_clock_and_all_parked_logs() -> None:
    one, two = bucket(1, at=5), bucket(2, at=3)
    one.clock, two.clock, two.parked = 60, None, 2
    assert (merge([one, two]).clock, merge([one, two]).newest, merge([one, two]).parked) == (60, 5, 2)


def test_counting_a_day_parses_neither_sums_nor_bins() -> None:
    hours = [stored(bucket(1, 2, 3)) for _ in range(24)]
    assert merge(hours).count == 72
    assert all(hour._sums is None and hour._sketch is None for hour in hours)


def test_the_shared_empty_bucket_takes_nothing_in() -> None:
    with pytest.raises(TypeError, match="EMPTY"):
        EMPTY.add(Decimal(1), 0)
    with pytest.raises(TypeError, match="EMPTY"):
        EMPTY.absorb(bucket(1))
    assert EMPTY.count == 0


def test_bytes_of_an_unknown_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        Bucket.unpack(b"\x09" + bucket(1).pack()[1:])


def test_reading_a_head_never_imports_ddsketch() -> None:
    data = bucket(*range(1, 50)).pack()
    code = (
        "import sys; from nightjar.core.rollups import Bucket, merge; from nightjar.core.aggregates import measure\n"
        f"made = Bucket.unpack({data!r})\n"
        "assert [measure(name, made) for name in ('count', 'sum', 'p50_est', 'p95_est', 'p99_est', 'stddev')]\n"
        "assert not [name for name in sys.modules if name.startswith('ddsketch')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "layers/nightjar"})


def test_a_typical_hour_fits_one_write_unit() -> None:
    made = bucket(*(round(400 * 1.9 ** ((step * 7_919 % 1_000) / 250 - 2), 3) for step in range(1_000)))
    assert len(made.pack()) < 1_024


@pytest.mark.parametrize("step", [1, 7])
def test_a_bucket_has_a_size_that_no_number_of_logs_exceeds(step: int) -> None:
    made = Bucket()
    made.count = MOST_BINS * 10**9
    made.sums.total, made.sums.squares = Decimal("-1e39") + PLACES, Decimal("1e69") + PLACES * PLACES
    made.sums.low, made.sums.high = -LIMIT + PLACES, LIMIT - PLACES
    for number in range(-MOST_BINS, 2 * MOST_BINS):
        made.sketch.count(number * step, 10**9)
    assert len(made.sketch.bins) == MOST_BINS
    assert len(made.pack()) < 14_000

"""Buckets against a plain reference: the list of the distinct logs, exact arithmetic and numpy's quantiles.

Rule: ENGINE.md, Invariant 1.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nightjar.core.decimals import rounded
from nightjar.core.instants import HOUR, MINUTE, floor, parse_instant
from nightjar.core.periods import Bin, cover
from nightjar.core.rollups import HEAD_QUANTILES, Bucket, merge
from nightjar.core.sketch import MOST_BINS, Sketch, bin_of
from nightjar.pipeline.rollup import PolicyCache, roll_up
from nightjar.storage import policies, rollups
from nightjar.storage.client import Store

from tests.aws import Cloud
from tests.streams import Record, record, store_on
from tests.world import stack

NOON = parse_instant("2026-03-03T12:00:00Z")
Values = list[float]

MAGNITUDES = st.floats(1e-29, 1e29) | st.floats(0.001, 100_000) | st.integers(1, 50).map(float)
SIGNED = st.builds(lambda size, sign: size * sign, MAGNITUDES, st.sampled_from([1, -1])) | st.just(0.0)
DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "log-normal": lambda rng, size: rng.lognormal(6, 1, size),
    "bimodal": lambda rng, size: np.where(rng.random(size) < 0.7, rng.normal(50, 5, size), rng.normal(900, 40, size)),
    "constant": lambda _rng, size: np.full(size, 30.4),
    "heavy tail": lambda rng, size: rng.pareto(0.8, size) + 1,
    "negative": lambda rng, size: -rng.lognormal(3, 2, size),
    "mixed signs": lambda rng, size: rng.normal(0, 100, size),
    "zeros": lambda _rng, size: np.zeros(size),
    "with zeros": lambda rng, size: np.where(rng.random(size) < 0.4, 0, rng.exponential(10, size)),
    "whole numbers": lambda rng, size: rng.poisson(4, size),
}


def bucket(values: Any) -> Bucket:
    made = Bucket()
    for value in values:
        made.add(Decimal(repr(float(value))), 0)
    return made


def assert_near(found: Decimal, values: Any, q: float, *, within: float = 0.01) -> None:
    """A quantile is as near to numpy's as ENGINE.md promises: 1 % of it, with mixed signs of the larger neighbour."""
    ordered = np.sort(values)
    rank = q * (len(ordered) - 1)
    neighbours = abs(ordered[int(rank)]), abs(ordered[min(int(rank) + 1, len(ordered) - 1)])
    exact = float(np.percentile(ordered, q * 100))
    mixed = ordered[0] < 0 < ordered[-1]
    assert abs(float(found) - exact) <= within * (max(neighbours) if mixed else abs(exact)) + 1e-12 * max(neighbours)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 100, 3_000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_of_every_distribution_and_size_are_within_one_per_cent(name: str, size: int) -> None:
    values = DISTRIBUTIONS[name](np.random.default_rng(size), size)
    made = bucket(values)
    for found in (made, Bucket.unpack(made.pack())):
        for q in (*HEAD_QUANTILES, 0.01, 0.25):
            assert_near(found.quantile(q), values, q)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_merging_parts_of_every_distribution_in_any_order_equals_one_pass(name: str) -> None:
    rng = np.random.default_rng(11)
    values = DISTRIBUTIONS[name](rng, 2_000)
    whole = bucket(values).pack()
    for _ in range(3):
        parts = [bucket(part) for part in np.array_split(rng.permutation(values), 7)]
        assert merge(parts[place] for place in rng.permutation(7)).pack() == whole


@given(st.lists(SIGNED, min_size=1, max_size=40), st.floats(0, 1))
def test_any_quantile_of_any_values_is_within_one_per_cent(values: Values, q: float) -> None:
    assert_near(bucket(values).quantile(q), values, q)


@given(st.lists(SIGNED, min_size=1, max_size=40))
def test_quantiles_rise_and_stay_within_the_values(values: Values) -> None:
    made = bucket(values)
    found = [made.quantile(q / 20) for q in range(21)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (made.low, made.high)


def test_a_hundred_thousand_durations_are_within_one_per_cent_in_an_hour_and_in_a_day_of_hours() -> None:
    values = np.random.default_rng(7).lognormal(6, 1, 100_000).round(3)
    hours = [bucket(part) for part in np.array_split(values, 24)]
    day = merge(Bucket.unpack(hour.pack()) for hour in hours)
    hour = Bucket()
    for part in hours:
        hour.absorb(part)
    for q in HEAD_QUANTILES:
        assert_near(day.quantile(q), values, q, within=0.002)
        assert day.quantile(q) == hour.quantile(q) == Bucket.unpack(hour.pack()).quantile(q)
    assert day.count == 100_000
    assert Fraction(day.total) == sum(Fraction(repr(float(value))) for value in values)


@given(st.lists(st.lists(SIGNED, max_size=12), max_size=6), st.randoms(use_true_random=False))
def test_any_order_and_grouping_of_merging_makes_the_same_bytes(groups: list[Values], chance: Any) -> None:
    whole = bucket(itertools.chain(*groups)).pack()
    shuffled = chance.sample(groups, len(groups))
    parts = [bucket(chance.sample(group, len(group))) for group in shuffled]
    assert merge(parts).pack() == whole
    half = chance.randint(0, len(parts))
    assert merge([merge(parts[half:]), merge(parts[:half])]).pack() == whole
    grown = Bucket()
    for part in parts:
        grown = Bucket.unpack(grown.pack())
        grown.absorb(Bucket.unpack(part.pack()))
    assert grown.pack() == whole


@given(st.lists(st.integers(-6_900, 6_900), min_size=1, max_size=400), st.integers(2, 60), st.randoms(use_true_random=False))
def test_a_sketch_stays_within_its_bins_and_keeps_the_highest(keys: list[int], repeat: int, chance: Any) -> None:
    values = [(1.01 ** abs(key + step)) * (1 if key >= 0 else -1) for key in keys for step in range(repeat)]
    one, halves = Sketch(), [Sketch(), Sketch()]
    for value in values:
        one.add(value)
    for value in chance.sample(values, len(values)):
        halves[chance.randint(0, 1)].add(value)
    halves[0].merge(halves[1])
    assert halves[0].bins == one.bins
    assert len(one.bins) <= MOST_BINS
    assert sorted(one.bins) == sorted({bin_of(value) for value in values})[-MOST_BINS:]
    assert sum(one.bins.values()) == len(values)


# A log: minutes after noon, microseconds after that minute, its value, its write shard.
LOGS = st.lists(
    st.tuples(
        st.integers(-61, 61),
        st.integers(0, MINUTE - 1),
        st.decimals(-(10**29), 10**29, places=30, allow_nan=False) | st.sampled_from([Decimal("0.1"), Decimal("-0.1"), Decimal(0), Decimal(10**29)]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=25,
)
FAULTS = st.sampled_from(["none", "none", "again", "refused", "answer lost", "older batch at the same time", "worker dies"])


class WorkerDied(BaseException):
    """Lambda stopped a worker at some statement."""


@dataclass
class Delivery:
    """A stream that Lambda delivers, with all that may go wrong on the way.

    Attributes:
        batch: Places [from, to) of the batch that is on its way.
        handled: Places of batches that were on their way before: a worker that was given up on may still hold one.
    """

    cloud: Cloud
    store: Store
    stream: list[Record]
    chance: Any
    handled: list[tuple[int, int]] = field(default_factory=list)

    def drain(self, draw: Callable[[], str]) -> None:
        """Deliver all, in batches of any size, until all of it is done."""
        place, patience = 0, 40
        while place < len(self.stream):
            end = self.chance.randint(place + 1, len(self.stream))
            patience -= 1
            fault = draw() if patience > 0 else "none"
            self.handled.append((place, end))
            done = self._deliver(place, end, fault)
            place = place if fault == "again" else done

    def _deliver(self, start: int, end: int, fault: str) -> int:
        """Deliver one batch; return the place to go on from."""
        calls = itertools.count()
        at_call = self.chance.randint(0, 6)

        def break_down(_service: str, operation: str, _body: bytes) -> None:
            if operation != "PutItem" or next(calls) != at_call:
                return
            if fault == "worker dies":
                raise WorkerDied
            if fault == "older batch at the same time":
                self._roll_up(*self.chance.choice(self.handled))
                return
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, operation)

        if fault == "answer lost":
            self.cloud.after = break_down
        elif fault not in {"none", "again"}:
            self.cloud.before = break_down
        try:
            return self._roll_up(start, end)
        except WorkerDied:
            return start
        finally:
            self.cloud.before = self.cloud.after = lambda *_: None

    def _roll_up(self, start: int, end: int) -> int:
        batch = self.stream[start:end]
        failed = roll_up(self.store, batch, PolicyCache(self.store), now=NOON, wait=lambda _: None)
        numbers = [each["dynamodb"]["SequenceNumber"] for each in batch]
        return end if failed is None else start + numbers.index(failed)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return Cloud(stack())


_names = itertools.count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(logs=LOGS, faults=st.lists(FAULTS, max_size=40), chance=st.randoms(use_true_random=False))
def test_whatever_happens_to_the_batches_every_log_counts_once(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, logs: list[tuple[int, int, Decimal, int]], faults: list[str], chance: Any
) -> None:
    monkeypatch.setattr(policies, "for_event", lambda *_: [])
    monkeypatch.setattr("nightjar.pipeline.rollup.count", lambda *_: None)
    event_id, store = f"event-{next(_names)}", store_on(cloud)
    plain = [(NOON + minute * MINUTE + micros, rounded(value), shard) for minute, micros, value, shard in logs]
    stream = [record(place, event_id, at, f"{value:f}", shard=shard) for place, (at, value, shard) in enumerate(plain)]
    fault = iter(faults)
    Delivery(cloud, store, stream, chance).drain(lambda: next(fault, "none"))

    found = rollups.read(store, event_id, cover(NOON - 2 * HOUR, NOON + 2 * HOUR), now=NOON)
    stored = dict(rollups.query(store, event_id, "m", 0, NOON + 2 * HOUR, now=NOON))
    assert set(stored) == {floor(at, MINUTE) for at, _, _ in plain}
    for (letter, start), each in [*found.items(), *((("m", start), each) for start, each in stored.items())]:
        assert_is(each, [(at, value) for at, value, _ in plain if floor(at, HOUR if letter == "h" else MINUTE) == start])
    assert_is(merge(found.values()), [(at, value) for at, value, _ in plain])
    edges = NOON - 7 * MINUTE, NOON + 49 * MINUTE
    window: list[Bin] = cover(*edges)
    inside = [(at, value) for at, value, _ in plain if edges[0] <= at < edges[1]]
    assert_is(merge(rollups.read(store, event_id, window, now=NOON).values()), inside)


def assert_is(made: Bucket, logs: list[tuple[int, Decimal]]) -> None:
    """A bucket holds exactly some logs."""
    assert made.count == len(logs)
    if logs:
        values = [value for _, value in logs]
        assert Fraction(made.total) == sum(map(Fraction, values))
        assert Fraction(made.squares) == sum(Fraction(value) ** 2 for value in values)
        assert (made.low, made.high, made.newest) == (min(values), max(values), max(at for at, _ in logs))
        assert_near(made.quantile(0.95), np.array([float(value) for value in values]), 0.95)

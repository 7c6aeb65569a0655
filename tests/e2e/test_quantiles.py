"""p95_est of 100,000 log-normal durations, an hour's and a day's, as they come out of the bytes that are stored."""

import random

import numpy as np
import pytest
from nightjar.core.aggregates import measure
from nightjar.core.folding import Arrival, fold
from nightjar.core.instants import DAY, HOUR, parse_instant
from nightjar.core.periods import cover
from nightjar.core.policies import Aggregate
from nightjar.core.rollups import EMPTY, Bucket, merge

START = parse_instant("2026-03-03T00:00:00Z")
LOGS, BATCH = 100_000, 1_000
PERCENTS: dict[Aggregate, int] = {"p50_est": 50, "p95_est": 95, "p99_est": 99}


def stored(values: list[float], length: int) -> dict[tuple[str, int], Bucket]:
    """Fold logs spread over a stretch of time in batches of a stream; every write goes through the packed bytes."""
    packed: dict[tuple[str, int], bytes] = {}
    for begin in range(0, len(values), BATCH):
        arrivals = [
            Arrival("e", "s#0", f"{number:040}", START + number * length // len(values), repr(value))
            for number, value in enumerate(values[begin : begin + BATCH], begin)
        ]
        for pile in fold(arrivals)[0]:
            bucket = Bucket.unpack(packed[pile.bin]) if pile.bin in packed else Bucket()
            pile.onto(bucket, {})
            packed[pile.bin] = bucket.pack()
    return {key: Bucket.unpack(text) for key, text in packed.items()}


@pytest.mark.parametrize("length", [HOUR, DAY], ids=["an hour", "a day"])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_p95_of_100_000_log_normal_durations_is_within_one_per_cent_of_numpys(length: int, sigma: float) -> None:
    chance = random.Random(int(sigma * 10))
    values = [round(chance.lognormvariate(8, sigma), 3) for _ in range(LOGS)]
    buckets = stored(values, length)
    window = merge(buckets.get(key, EMPTY) for key in cover(START, START + length))
    for aggregate, percent in PERCENTS.items():
        assert float(measure(aggregate, window) or 0) == pytest.approx(np.percentile(values, percent), rel=0.01)
    assert window.count == LOGS

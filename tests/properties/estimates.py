"""Where the sketch's one per cent shows: values that may differ from the reference's, and verdicts that it leaves open.

Rule: ENGINE.md, Rollups: "never more than 1 % off (mixed signs: 1 % of the larger neighbour), one value is exact".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest import mock

from tests.reference import weighing
from tests.reference.judging import Reading
from tests.reference.logs import QUANTILES, Book, Bucket
from tests.reference.periods import Calendar, Period
from tests.reference.policies import Policy

PER_CENT = Decimal("0.01")


def tolerance(aggregate: str, bucket: Bucket) -> Decimal:
    """How far an estimate of a bucket's quantile may lie from the exact one."""
    if aggregate not in QUANTILES or len(set(bucket.values)) < 2:
        return Decimal(0)
    rank = QUANTILES[aggregate] * (bucket.count - 1)
    neighbours = bucket.values[int(rank)], bucket.values[min(int(rank) + 1, bucket.count - 1)]
    return PER_CENT * max(neighbours[0].copy_abs(), neighbours[1].copy_abs())


def near(aggregate: str, found: Decimal | None, reading: Reading | None) -> bool:
    """Tell whether a value is what was read, as far as the sketch can tell."""
    if reading is None or found is None or reading.value is None:
        return found is (reading.value if reading else None)
    return found == reading.value or abs(found - reading.value) <= tolerance(aggregate, reading.bucket)


def leaves_open(policy: Policy, reading: Reading) -> bool:
    """Tell whether an estimate of what was read may fall on the other side of a threshold."""
    aggregate = policy.field("aggregate")
    if aggregate not in QUANTILES or reading.value is None:
        return False
    held, within = reading.value, tolerance(aggregate, reading.bucket)
    if policy.previous is not None:
        if reading.percent is None or reading.percent.is_infinite():
            return reading.before is not None
        held, within = reading.percent, Decimal("2.1") * (1 + abs(reading.percent) / 100)
        if any(value < 0 for value in reading.bucket.values) or (reading.before is not None and reading.before < 0):
            return True
    return within > 0 and any(abs(held - each) <= within for each in (policy.threshold, policy.recovery_threshold))


@contextmanager
def noted() -> Iterator[list[tuple[Policy, Reading]]]:
    """Note all that the reference reads at a close or of late data."""
    found: list[tuple[Policy, Reading]] = []
    judge = weighing.judge

    def noting(policy: Policy, period: Period, calendar: Calendar, book: Book) -> Reading:
        reading = judge(policy, period, calendar, book)
        found.append((policy, reading))
        return reading

    with mock.patch.object(weighing, "judge", noting):
        yield found

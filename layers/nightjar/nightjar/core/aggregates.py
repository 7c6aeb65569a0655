"""From a bucket to the number that a policy watches, and its change against an earlier window."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from nightjar.core.decimals import EXACT, ZERO, mean, quotient, tidy
from nightjar.core.rollups import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightjar.core.policies import Aggregate

_QUANTILES = {"p50_est": 0.5, "p95_est": 0.95, "p99_est": 0.99}

# Wide enough that the root of an exact variance is rounded once, to 28 digits.
_WIDE = Context(prec=64, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_HUNDRED = Decimal(100)


def _deviation(bucket: Bucket) -> Decimal:
    """Return the population's standard deviation: √(n·Σx² - (Σx)²) / n, the difference exact."""
    count = Decimal(bucket.count)
    spread = EXACT.subtract(EXACT.multiply(count, bucket.squares), EXACT.multiply(bucket.total, bucket.total))
    return quotient(_WIDE.sqrt(spread), count)


_EXACT: "dict[Aggregate, Callable[[Bucket], Decimal | None]]" = {
    "count": lambda bucket: Decimal(bucket.count),
    "sum": lambda bucket: bucket.total,
    "average": lambda bucket: mean(bucket.total, bucket.count),
    "min": lambda bucket: bucket.low,
    "max": lambda bucket: bucket.high,
    "stddev": _deviation,
}


def measure(aggregate: "Aggregate", bucket: Bucket) -> Decimal | None:
    """Measure one aggregate of the logs in a bucket.

    Args:
        aggregate: What the policy watches.
        bucket: The logs of the period.

    Returns:
        The value in the event's unit (`count`: a number of logs); None without logs: `missing` decides then.

    Rule: ENGINE.md, Evaluating: sum, count, min and max exact; average to 28 digits, half even; stddev of the population;
    quantiles from the sketch.

    Example:
        >>> bucket = Bucket()
        >>> bucket.add(Decimal(1), 0)
        >>> bucket.add(Decimal(4), 0)
        >>> measure("average", bucket), measure("stddev", bucket)
        (Decimal('2.5'), Decimal('1.5'))
    """
    if not bucket.count:
        return None
    if aggregate in _QUANTILES:
        return bucket.quantile(_QUANTILES[aggregate])
    return _EXACT[aggregate](bucket)


def change_percent(now: Decimal, before: Decimal) -> Decimal | None:
    """Return by how many per cent a value lies above (or, negative, below) an earlier one.

    Returns:
        (now - before) / |before| · 100 to 28 digits; 0 from 0 to 0; None from 0 to anything else.

    Rule: ENGINE.md, Evaluating, compare.

    Example:
        >>> change_percent(Decimal(165), Decimal(100)), change_percent(Decimal(1), Decimal(-4))
        (Decimal('65'), Decimal('125'))
    """
    if not before:
        return None if now else ZERO
    return tidy(quotient(EXACT.multiply(EXACT.subtract(now, before), _HUNDRED), EXACT.abs(before)))

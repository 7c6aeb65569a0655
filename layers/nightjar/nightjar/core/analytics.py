"""The comparison of an event's current window with an earlier one of the same length (GET …/analytics).

Rule: API.md, Events: which pairs there are, where the current window ends, and what is null.
"""

from decimal import Decimal
from typing import Literal, get_args

from nightjar.core.aggregates import change_percent, measure
from nightjar.core.decimals import EXACT
from nightjar.core.instants import DAY, HOUR, MINUTE, floor
from nightjar.core.periods import DAYS_BEFORE, Period, Previous
from nightjar.core.rollups import Bucket

Span = Literal["1h", "1d", "7d", "1m"]

SPANS: tuple[Span, ...] = get_args(Span)

# What each span may be compared with.
PAIRS: dict[Span, tuple[Previous, ...]] = {
    "1h": ("previous_window", "previous_1d", "previous_7d", "previous_1m"),
    "1d": ("previous_window", "previous_7d", "previous_1m"),
    "7d": ("previous_window", "previous_1m"),
    "1m": ("previous_window",),
}

_LENGTH: dict[Span, int] = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY, "1m": 30 * DAY}

# Where minutes are kept long enough, a window ends at a full minute, else at a full hour.
_UNIT: dict[Span, int] = {"1h": MINUTE, "1d": MINUTE, "7d": HOUR, "1m": HOUR}


def windows(span: Span, previous: Previous, at: int) -> tuple[Period, Period]:
    """Find the two windows of a comparison.

    Args:
        span: The length of both.
        previous: How far before the current window the earlier one lies.
        at: The instant (µs) that takes the place of now.

    Returns:
        The current window and the earlier one; both are made of stored buckets (see `periods.cover`).

    Raises:
        ValueError: There is no such pair; the message says which there are.

    Example:
        >>> windows("1h", "previous_1d", 2 * DAY + 1)
        (Period(start=169200000000, end=172800000000), Period(start=82800000000, end=86400000000))
    """
    if previous not in PAIRS[span]:
        raise ValueError(f"previous: with period {span} must be one of {', '.join(PAIRS[span])}")
    length = _LENGTH[span]
    end = floor(at, _UNIT[span])
    distance = length if previous == "previous_window" else DAYS_BEFORE[previous] * DAY
    return Period(end - length, end), Period(end - length - distance, end - distance)


def compare(current: Bucket, previous: Bucket) -> dict[str, Decimal | int | None]:
    """Compare the logs of two windows.

    Args:
        current: All logs of the current window.
        previous: All logs of the earlier one.

    Returns:
        The fields of the answer's `data`: values are sums in the event's unit; a percentage over zero and a mean or
        deviation of nothing are None.

    Example:
        >>> bucket = Bucket()
        >>> bucket.add(Decimal(4), 0)
        >>> compare(bucket, bucket)["value_pct_change"]
        Decimal('0')
    """
    mean_now, mean_before = measure("average", current), measure("average", previous)
    return {
        "current_value": current.total,
        "current_count": current.count,
        "previous_value": previous.total,
        "previous_count": previous.count,
        "value_delta": EXACT.subtract(current.total, previous.total),
        "count_delta": current.count - previous.count,
        "value_pct_change": _percent(current.total, previous.total),
        "count_pct_change": _percent(Decimal(current.count), Decimal(previous.count)),
        "current_mean": mean_now,
        "previous_mean": mean_before,
        "mean_delta": _delta(mean_now, mean_before),
        "mean_pct_change": _percent(mean_now, mean_before),
        "current_stddev": measure("stddev", current),
        "previous_stddev": measure("stddev", previous),
    }


def _delta(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Return a difference; None where one of the two does not exist."""
    return None if now is None or before is None else EXACT.subtract(now, before)


def _percent(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Return a change in per cent; None where one of the two does not exist, and over zero, also from zero to zero."""
    return change_percent(now, before) if now is not None and before else None

"""The verdict on one period: missing, min_count, compare, condition; and the early verdict."""

import operator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from tests.reference.logs import EXACT, ROUNDED, Book, Bucket
from tests.reference.periods import DAY, Calendar, Period, natural_day
from tests.reference.policies import Policy

HOLDS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "eq": operator.eq, "ne": operator.ne}
DAYS_BEFORE = {"previous_window": 1, "previous_1d": 1, "previous_7d": 7, "previous_1m": 30}


class Verdict(Enum):
    """What a period says."""

    BREACH = "breach"
    HEALTHY = "healthy"
    NOTHING = "nothing"
    BETWEEN = "between the threshold and that of recovery: neither"


@dataclass(frozen=True)
class Reading:
    """A verdict with what it rests on: the measured value, the value before and the change in per cent (compare only)."""

    verdict: Verdict
    bucket: Bucket
    value: Decimal | None = None
    before: Decimal | None = None
    percent: Decimal | None = None


def judge(policy: Policy, period: Period, calendar: Calendar, book: Book) -> Reading:
    """Judge an ended period.

    Rule: ENGINE.md, Evaluating, "Order of rules".
    """
    bucket = book.window(policy.event_key, period.start, period.end)
    if bucket.count == 0 and policy.missing != "zero":
        return Reading(Verdict.BREACH if policy.missing == "breach" else Verdict.NOTHING, bucket)
    if 0 < bucket.count < policy.min_count:
        return Reading(Verdict.NOTHING, bucket)
    value = bucket.measure(policy.field("aggregate")) if bucket.count else Decimal(0)
    if policy.previous is None:
        return Reading(_by_condition(policy, value), bucket, value)
    before = _baseline(policy, period, calendar, book)
    percent = None if before is None else _change(policy, value, before)
    return Reading(Verdict.NOTHING if percent is None else _by_condition(policy, percent), bucket, value, before, percent)


def judge_early(policy: Policy, period: Period, book: Book) -> Reading | None:
    """Judge a period that is not closed, if its outcome can no longer change.

    Rule: ENGINE.md, Evaluating, "Early".
    """
    bucket = book.window(policy.event_key, period.start, period.end)
    if not policy.field("early") or policy.previous is not None or bucket.count < max(1, policy.min_count):
        return None
    value = bucket.measure(policy.field("aggregate"))
    verdict = _by_condition(policy, value)
    return Reading(verdict, bucket, value) if verdict is _settled_verdict(policy, bucket) else None


def _settled_verdict(policy: Policy, bucket: Bucket) -> Verdict | None:
    """Return the verdict that, once reached, further logs cannot undo."""
    aggregate = policy.field("aggregate")
    only_rises = aggregate in ("count", "max") or (aggregate == "sum" and bucket.values[0] >= 0)
    if not only_rises and aggregate != "min":
        return None
    above, below = ("gt", "gte"), ("lt", "lte")
    if policy.condition in (above if only_rises else below):
        return Verdict.BREACH
    return Verdict.HEALTHY if policy.condition in (below if only_rises else above) else None


def _by_condition(policy: Policy, value: Decimal) -> Verdict:
    holds = HOLDS[policy.condition]
    if holds(value, policy.threshold):
        return Verdict.BREACH
    return Verdict.BETWEEN if holds(value, policy.recovery_threshold) else Verdict.HEALTHY


def _baseline(policy: Policy, period: Period, calendar: Calendar, book: Book) -> Decimal | None:
    """Return the value of the period that is compared with, none if it says nothing."""
    earlier = _compared(policy, period, calendar)
    bucket = book.window(policy.event_key, earlier.start, earlier.end)
    if bucket.count:
        return bucket.measure(policy.field("aggregate"))
    first = book.first_time(policy.event_key)
    return Decimal(0) if policy.missing == "zero" and first is not None and first < earlier.start else None


def _compared(policy: Policy, period: Period, calendar: Calendar) -> Period:
    days = DAYS_BEFORE[str(policy.previous)]
    if policy.kind == "day" and not policy.rolling:
        return natural_day(calendar.zone_at(period.start), period.start, days)
    return period.shifted(-(period.end - period.start) if policy.previous == "previous_window" else -days * DAY)


def _change(policy: Policy, now: Decimal, before: Decimal) -> Decimal | None:
    """Return the change in per cent, infinite from 0 to something when min_count is set, else none."""
    difference = EXACT.subtract(now, before)
    if before != 0:
        return ROUNDED.divide(EXACT.multiply(difference, Decimal(100)), before.copy_abs())
    if difference == 0:
        return Decimal(0)
    return Decimal("Infinity").copy_sign(difference) if policy.min_count else None
